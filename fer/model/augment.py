"""Random changes that a face survives, for training only; plain NumPy and OpenCV.

They stay outside the network: random layers inside it make Keras export a wrong file.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.records import SIZE

_CENTRE = (SIZE - 1) / 2
_ERASED = 0.3
_ERASED_AREA = (0.02, 0.15)
_ERASED_STRETCH = 0.7
"""Logarithm: a rectangle is at most twice as high as wide, or as wide as high."""
_SPOILT = 0.1
"""How many faces each fault of a camera meets; one in three has one or more."""


def augment(faces: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return each face mirrored, turned, scaled, shifted and lit at random.

    Mirrored half of the time, turned by up to 12 degrees, scaled by 0.88 to 1.12, shifted by up
    to 4 pixels, contrast times 0.7 to 1.3, brightness by up to 25 grey levels. On three faces in
    ten a rectangle of 2 to 15 % of the picture turns one grey (Zhong et al. 2017, "Random Erasing
    Data Augmentation"): hands, hair and masks hide as much. One in three comes as from a poor
    camera: from 16 to 40 pixels of width, out of focus, noisy, or strongly compressed.

    Args:
        faces: Shape `(n, 48, 48)`, 0-255.
        rng: Source of chance.

    Returns:
        Shape `(n, 48, 48)`, float32, 0-255.
    """
    n = len(faces)
    mirrored = rng.random(n) < 0.5
    angles, scales = rng.uniform(-12, 12, n), rng.uniform(0.88, 1.12, n)
    shifts = rng.uniform(-4, 4, (n, 2))
    contrast, brightness = rng.uniform(0.7, 1.3, (n, 1, 1)), rng.uniform(-25, 25, (n, 1, 1))
    moved = np.stack([
        _move(face[:, ::-1] if flip else face, angle, scale, shift)
        for face, flip, angle, scale, shift in zip(
            faces, mirrored, angles, scales, shifts, strict=True
        )
    ])  # fmt: skip
    lit = np.clip((moved - 128.0) * contrast + 128.0 + brightness, 0, 255).astype(np.float32)
    for row in np.flatnonzero(rng.random(n) < _ERASED):
        _erase(lit[row], rng)
    # In the order in which a camera does it.
    for spoil in (_shrink, _blur, _add_noise, _compress):
        for row in np.flatnonzero(rng.random(n) < _SPOILT):
            lit[row] = spoil(lit[row], rng)
    return lit


def _erase(face: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Turn a rectangle of `face` one grey, in place."""
    area = rng.uniform(*_ERASED_AREA) * SIZE * SIZE
    stretch = np.exp(rng.uniform(-_ERASED_STRETCH, _ERASED_STRETCH))
    height, width = round(np.sqrt(area * stretch)), round(np.sqrt(area / stretch))
    top, left = rng.integers(0, SIZE - height), rng.integers(0, SIZE - width)
    face[top : top + height, left : left + width] = rng.uniform(0, 255)


def _shrink(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return `face` as it looks from afar, enlarged again."""
    width = int(rng.integers(16, 40, endpoint=True))
    far = cv2.resize(face, (width, width), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(far, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), np.float32)


def _blur(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), rng.uniform(0.4, 1.6)), np.float32)


def _add_noise(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    noise = rng.standard_normal(face.shape, np.float32) * np.float32(rng.uniform(3, 20))
    return np.clip(face + noise, 0, 255)


def _compress(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    quality = int(rng.integers(10, 60, endpoint=True))
    packed = cv2.imencode(".jpg", face.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.float32)


def _move(
    face: NDArray[np.uint8], angle: float, scale: float, shift: NDArray[np.float64]
) -> NDArray[np.uint8]:
    matrix = np.asarray(cv2.getRotationMatrix2D((_CENTRE, _CENTRE), angle, scale), np.float64)
    matrix[:, 2] += shift
    moved = cv2.warpAffine(
        np.ascontiguousarray(face), matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8)
