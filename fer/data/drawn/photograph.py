"""One photograph: a subject who shows an emotion, as a camera delivers it."""

from dataclasses import dataclass

import numpy as np

from fer.data.drawn.cameras import Camera
from fer.data.drawn.expressions import express
from fer.data.drawn.head import draw_head
from fer.data.drawn.lens import through_lens
from fer.data.drawn.light import Light
from fer.data.drawn.scene import Picture, Pose, View, backdrop, place, wear
from fer.data.drawn.subjects import Subject


@dataclass(frozen=True)
class Shot:
    """All that one picture depends on."""

    camera: Camera
    name: str
    subject: Subject
    label: str
    number: int
    seed: int
    rng: np.random.Generator


def photograph(shot: Shot, view: View, *, head_side: int) -> Picture:
    """Return `shot` as its camera delivers it."""
    camera, rng = shot.camera, shot.rng
    expression = express(shot.label, shot.subject, rng)
    light = _light(camera, rng)
    head = draw_head(shot.subject, expression, light, side=head_side)
    scene = backdrop(shot.seed, view, rng)
    wear(scene, view, shot.subject.shirt, light)
    place(scene, head, _pose(camera, rng), view)
    return through_lens(scene, camera, view.unit, rng)


def _light(camera: Camera, rng: np.random.Generator) -> Light:
    """Return the light of `camera`, a little different each time."""
    hard = {
        "front": (0.0, -0.3, 0.95, 0.44, 0.62),
        "side": (rng.choice((-1, 1)), -0.15, 0.25, 0.12, 0.9),
        "top": (0.0, -1.1, 0.45, 0.15, 0.8),
        "under": (0.0, 0.9, 0.45, 0.15, 0.8),
    }
    ambient, diffuse = rng.uniform(0.38, 0.5), rng.uniform(0.55, 0.7)
    soft = np.array((rng.normal(0, 0.2), -0.3, 0.95, ambient, diffuse))
    mixed = soft + camera.light_share * (np.array(hard[camera.light]) - soft)
    x, y, z = (mixed[:3] / np.linalg.norm(mixed[:3])).tolist()
    return Light((x, y, z), float(mixed[3]), float(mixed[4]))


def _pose(camera: Camera, rng: np.random.Generator) -> Pose:
    yaw, pitch, roll = rng.normal(0, (10, 7, 6))
    roll += camera.roll * rng.choice((-1, 1))
    return Pose(*np.radians((yaw, pitch + camera.pitch, roll)).tolist())
