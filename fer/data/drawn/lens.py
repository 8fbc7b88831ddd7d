"""What the lens and the sensor of a camera make of a scene."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.data.drawn.cameras import Camera
from fer.data.drawn.scene import Picture

_GRAIN: Final = 24
"""Grains of noise a unit: coarse enough to survive the shrinking of a face to 48 pixels."""


def through_lens(scene: Picture, camera: Camera, unit: float, rng: np.random.Generator) -> Picture:
    """Return what the sensor of `camera` makes of `scene`, where a unit is `unit` pixels."""
    size = scene.shape[1], scene.shape[0]
    if camera.motion:
        scene = cv2.filter2D(scene, -1, _smear(camera.motion * unit, rng)).astype(np.uint8)
    grains = [max(1, round(side * _GRAIN / unit)) for side in size]
    grain = rng.standard_normal((grains[1], grains[0], 3), np.float32)
    noise = cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)
    signal = camera.amplification * (camera.gain * scene + camera.noise * noise)
    if camera.blur:
        signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), camera.blur * unit))
    picture = np.rint(signal / camera.level_step).clip(0, 255 // camera.level_step)
    picture = (picture * camera.level_step).astype(np.uint8)
    return _compressed(picture, camera, unit, rng)


def _smear(length: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the kernel of a straight movement over `length` pixels."""
    side = 2 * int(np.ceil(length / 2)) + 1
    turn = rng.uniform(0, np.pi)
    reach = np.array((np.cos(turn), np.sin(turn))) * length / 2
    ends = np.rint((np.array((-reach, reach)) + side // 2) * 16).astype(int).tolist()
    kernel = np.zeros((side, side), np.uint8)
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _compressed(
    picture: Picture, camera: Camera, unit: float, rng: np.random.Generator
) -> Picture:
    """Return `picture` after the coarse sensor and the JPEG of `camera`, at its old size."""
    size = picture.shape[1], picture.shape[0]
    coarse = picture
    if camera.pixels_per_unit:
        sides = [max(1, round(side * camera.pixels_per_unit / unit)) for side in size]
        coarse = cv2.resize(picture, sides, interpolation=cv2.INTER_AREA).astype(np.uint8)
    if camera.jpeg[1]:
        quality = int(rng.integers(camera.jpeg[0], camera.jpeg[1] + 1))
        coded = cv2.imencode(".jpg", coarse, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        coarse = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
