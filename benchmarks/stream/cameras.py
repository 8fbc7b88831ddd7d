"""Six cameras: each changes a face that FER2013 shows as another light or lens would."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness import Change
from fer.records import SIZE


def dark(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A tenth of the light, amplified: coarse steps and the sensor's noise."""
    told = np.round(face / 10 + rng.normal(0, 1.2, face.shape))
    return np.asarray(told * 6, np.float32)


def side_lit(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A lamp on one side: the other has a twelfth of its light, and what is near it is white."""
    fall = np.linspace(1.7, 0.08, SIZE) ** 1.5
    light = fall if rng.random() < 0.5 else fall[::-1]
    return np.asarray(face * light + rng.normal(0, 4, face.shape), np.float32)


def far(face: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
    """A face of 16 x 16 pixels in a JPEG of quality 25."""
    small = cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA)
    packed = cv2.imencode(".jpg", small.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    opened = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    return np.asarray(cv2.resize(opened, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def wide_angle(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A wide lens near the face, held askew from below: the middle swells, the brow shrinks."""
    y, x = (np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) - (SIZE - 1) / 2) / (SIZE / 2)
    angle = np.deg2rad(rng.choice([-1, 1]) * rng.uniform(15, 30))
    turned_x, turned_y = (
        x * np.cos(angle) - y * np.sin(angle),
        x * np.sin(angle) + y * np.cos(angle),
    )
    swollen = 0.6 + 0.4 * np.minimum(turned_x**2 + turned_y**2, 1.5)
    turned_x = turned_x * swollen * (1 - 0.35 * turned_y)
    back = [(part * SIZE / 2 + (SIZE - 1) / 2).astype(np.float32) for part in
            (turned_x, turned_y * swollen)]  # fmt: skip
    return np.asarray(cv2.remap(face, *back, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def infrared(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Skin pale, eyes and brows nearly so: dark tones turned over, soft, with a little noise."""
    tone = 255 * (0.35 + 0.65 * np.abs(face / 255 - 0.45) / 0.55)
    soft = cv2.GaussianBlur(tone.astype(np.float32), (0, 0), 1.0)
    return np.asarray(soft + rng.normal(0, 3, face.shape), np.float32)


def masked(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A mask up to the nose, or sunglasses; half of the faces each."""
    hidden = face.copy()
    if rng.random() < 0.5:
        hidden[rng.integers(29, 34) :, 4:-4] = rng.uniform(150, 230)
    else:
        top = rng.integers(13, 17)
        for left in (6, 27):
            cv2.ellipse(hidden, (left + 8, int(top) + 5), (9, 6), 0, 0, 360, 20.0, -1)
        hidden[top + 3 : top + 5, 4:-4] = 20
    return hidden


CAMERAS: Final[dict[str, Change]] = {
    "dark room": dark,
    "side light": side_lit,
    "far": far,
    "wide angle": wide_angle,
    "infrared": infrared,
    "mask or glasses": masked,
}
