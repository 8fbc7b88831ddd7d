"""The cameras that faces can be drawn before."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True)
class Camera:
    """How a place and its camera show a head. Lengths in units (half a head), angles in degrees.

    Args:
        light: Where the lamp is when `light_share` is 1.
        light_share: 0 is the soft frontal light of a studio, 1 hard light from `light`.
        pitch: How far heads look up (below 0, as a camera from below sees them).
        roll: How far pictures are tilted, to either side.
        gain: Brightness before the noise of the sensor.
        noise: Standard deviation of the sensor's noise, in grey levels.
        amplification: Brightness after the noise.
        blur: Standard deviation of the lens's blur.
        motion: Length of the smear of a hand-held picture.
        pixels_per_unit: Resolution of the sensor; 0 is finer than the frame.
        jpeg: Lowest and highest quality of the compression, 1-100; (0, 0) is none.
        level_step: Distance between the grey levels that the sensor tells apart.
    """

    light: Literal["front", "side", "top", "under"] = "front"
    light_share: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gain: float = 1.0
    noise: float = 2.5
    amplification: float = 1.0
    blur: float = 0.0
    motion: float = 0.0
    pixels_per_unit: float = 0.0
    jpeg: tuple[int, int] = (0, 0)
    level_step: int = 1


# Strengths chosen by trial so that a small network trained on "studio", right for .91 of unseen
# subjects there, is right for .61 at "window" and .62 to .78 elsewhere. The size of a drop is a
# choice, not a finding.
CAMERAS: Final[Mapping[str, Camera]] = MappingProxyType({
    "studio": Camera(),
    "window": Camera(light="side", light_share=0.7),
    "dark": Camera(light="top", light_share=0.4, gain=0.32, noise=4, level_step=3),
    "laptop": Camera(light="under", light_share=0.55, pitch=-15),
    "phone": Camera(roll=12, pitch=8, motion=0.12),
    "night": Camera(light="side", light_share=0.3, gain=0.2, noise=7, amplification=4, blur=0.025),
    "webcam": Camera(blur=0.03, pixels_per_unit=22, jpeg=(14, 18)),
})  # fmt: skip
"""Cameras by name: studio, hard side light, a dark room, a low laptop, a tilted phone, a camera
that brightens the night, an old webcam."""
