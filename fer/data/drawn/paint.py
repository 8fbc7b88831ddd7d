"""The parts of a face in plain colours, not lit yet."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer.data.drawn.canvas import Canvas
from fer.data.drawn.colours import darker, mix
from fer.data.drawn.expressions import Action, Expression
from fer.data.drawn.outline import chin_of, mirrored, right_edge
from fer.data.drawn.subjects import Subject

_LIPS_PART: Final = 0.018  # units; a smaller gap is drawn as a closed mouth
_ACROSS: Final = np.linspace(-1, 1, 13)
_ARCH: Final = 1 - _ACROSS**2
_CIRCLE: Final = np.stack([np.cos(turn := np.linspace(0, 2 * np.pi, 20)), np.sin(turn)], axis=1)


def paint(canvas: Canvas, subject: Subject, expression: Expression) -> None:
    """Paint all parts of a head, the hindmost first."""
    action = expression.actions
    _paint_head(canvas, subject, action)
    _paint_beard(canvas, subject, action)
    for eye in (-1, 1):
        _paint_eye(canvas, subject, action, eye)
        _paint_brow(canvas, subject, action, eye)
        _paint_nostril(canvas, subject, action, eye)
    _paint_mouth(canvas, subject, expression)
    _paint_hair(canvas, subject)
    if subject.glasses:
        _paint_glasses(canvas, subject)


def _between(x: ArrayLike, upper: ArrayLike, lower: ArrayLike) -> NDArray[np.float64]:
    """Return the polygon between two curves over `x`."""
    x, upper, lower = np.asarray(x), np.asarray(upper), np.asarray(lower)
    return np.stack([np.append(x, x[::-1]), np.append(upper, lower[::-1])], axis=1)


def _paint_head(canvas: Canvas, subject: Subject, action: Action) -> None:
    width, height, chin = subject.head_width, subject.head_height, chin_of(subject, action)
    if subject.style == "long":
        back = ((0, -1.32), (0.6, -1.15), (0.95, -0.6), (1.0, 0.2), (1.05, 1.3), (0.5, 1.35))
        canvas.fill(mirrored(np.array(back)), darker(subject.hair, 0.25))
    shadow = darker(subject.skin, 0.25)
    canvas.fill(mirrored(np.array(((0.40, 0.5), (0.42, 1.25), (0.25, 1.42)))), shadow)
    if subject.style == "curly":
        for turn in np.linspace(-0.25 * np.pi, 1.25 * np.pi, 15):
            centre = (1.12 * width * np.cos(turn), -0.25 - 0.85 * np.sin(turn))
            canvas.fill(centre + 0.24 * _CIRCLE, subject.hair)
    for ear in (-1, 1):
        canvas.fill((ear * width, 0.08) + _CIRCLE * (0.11, 0.2), darker(subject.skin, 0.12))
    canvas.fill(mirrored(right_edge(subject, chin, top=-height, bottom=chin)), subject.skin)


def _paint_hair(canvas: Canvas, subject: Subject) -> None:
    if subject.style == "bald":
        return
    temple, line, bend = (-0.28, -0.52, 4) if subject.style == "fringe" else (-0.2, -0.66, 2)
    cap = right_edge(subject, subject.head_height, top=-subject.head_height, bottom=temple)
    x = _ACROSS * subject.head_width
    edge = np.stack([x, line + (temple - line) * np.abs(_ACROSS) ** bend], axis=1)
    outer = cap * (1.08, 1.07)
    canvas.fill(np.concatenate([outer[::-1], outer * (-1, 1), edge]), subject.hair)
    for strand in np.linspace(-0.5, 0.5, 6):
        parting = ((strand * 0.7, -1.05), (strand, line - 0.06))
        canvas.line(parting, mix(subject.hair, (128, 128, 128), 0.15), width=0.02)


def _paint_beard(canvas: Canvas, subject: Subject, action: Action) -> None:
    if not subject.beard:
        return
    chin = chin_of(subject, action)
    jaw = right_edge(subject, chin, top=0.2, bottom=chin)
    lip = subject.nose_y + 0.11
    inner = ((0, lip), (0.2, lip + 0.02), (0.42, subject.mouth_y - 0.05))
    canvas.fill(mirrored(np.concatenate([inner, jaw])), mix(subject.skin, subject.hair, 0.55))


def _paint_eye(canvas: Canvas, subject: Subject, action: Action, eye: int) -> None:
    """Paint lid, white, iris, pupil, glint and lashes of the left (-1) or right (1) eye."""
    size = subject.eye_height
    closing = 0.85 * action[43] + 0.40 * action[7] + 0.30 * action[6] + 0.35 * action[9]
    upper = max(size * (1 + 0.75 * action[5] - closing), 0.008)
    squint = 0.55 * action[6] + 0.55 * action[7] + 0.4 * action[9] - 0.25 * action[5]
    lower = max(0.55 * size * (1 - squint), 0.006)
    x, middle = eye * subject.eye_x + subject.eye_width * _ACROSS, eye * subject.eye_x
    lid = max(upper + 0.02, 1.5 * size)
    canvas.fill(_between(x, -lid * _ARCH, lower * _ARCH), darker(subject.skin, 0.16))
    canvas.fill(_between(x, -upper * _ARCH, lower * _ARCH), (205, 212, 216))
    down = 0.5 * size * action[64]
    for radius, colour in ((1.05 * size, (45, 62, 84)), (0.5 * size, (12, 12, 14))):
        disc = _CIRCLE * radius + (middle, down)
        open_share = 1 - ((disc[:, 0] - middle) / subject.eye_width) ** 2
        disc[:, 1] = disc[:, 1].clip(-upper * open_share, lower * open_share)
        canvas.fill(disc, colour)
    lashes = _between(x, -upper * _ARCH - 0.022, -upper * _ARCH + 0.004)
    canvas.fill(lashes, darker(subject.skin, 0.85))


def _paint_brow(canvas: Canvas, subject: Subject, action: Action, eye: int) -> None:
    inner_x = subject.eye_x - 1.05 * subject.eye_width - 0.03 * action[4]
    outer_x = subject.eye_x + 1.3 * subject.eye_width
    inner = -subject.brow_y - 0.10 * action[1] + 0.10 * action[4] + 0.035 * action[9]
    outer = -subject.brow_y - 0.10 * action[2] + 0.035 * action[4] + 0.02
    share = np.linspace(0, 1, 7)
    x = eye * (inner_x + (outer_x - inner_x) * share)
    y = inner + (outer - inner) * share - 0.12 * share * (1 - share)
    thick = subject.brow_thickness * (1 - 0.6 * share**2)
    # A blond brow on fair skin would not be seen at all.
    canvas.fill(_between(x, y - thick, y + thick), mix(subject.hair, (20, 24, 30), 0.5))


def _paint_nostril(canvas: Canvas, subject: Subject, action: Action, eye: int) -> None:
    centre = (eye * 0.5 * subject.nose_width, subject.nose_y + 0.045 - 0.03 * action[9])
    canvas.fill(centre + _CIRCLE * (0.038, 0.02), darker(subject.skin, 0.65))


def _paint_mouth(canvas: Canvas, subject: Subject, expression: Expression) -> None:
    action = expression.actions
    stretch = 0.28 * action[12] + 0.30 * action[20]
    stretch -= 0.14 * action[26] + 0.10 * action[24] + 0.10 * action[15]
    x = subject.mouth_width * (1 + stretch) * _ACROSS
    corner = -0.085 * action[12] + 0.075 * action[15] + 0.03 * action[20] + 0.04 * action[26]
    centre = -0.05 * action[10] - 0.025 * action[9] - 0.035 * action[17]
    line = subject.mouth_y + corner + (centre - corner) * _ARCH
    gap = max(0.085 * action[25], 0) + max(0.27 * action[26], 0)
    gap = gap if gap > _LIPS_PART else 0.0
    opening = gap * np.sqrt(_ARCH)
    upper, lower = line - 0.25 * opening, line + 0.75 * opening
    lip = subject.lip * (1 - 0.62 * action[24])
    full = np.sqrt(_ARCH)
    bow = 1 - 0.25 * np.exp(-((_ACROSS / 0.15) ** 2))
    red = mix(darker(subject.skin, 0.25), (70, 60, 170), 0.45)
    canvas.fill(_between(x, upper - 0.85 * lip * full * bow, upper), darker(red, 0.12))
    canvas.fill(_between(x, lower, lower + 1.1 * lip * full), red)
    if not gap:
        canvas.line(np.stack([x, line], axis=1), darker(red, 0.65), width=0.03)
        return
    canvas.fill(_between(x, upper, lower), (30, 20, 50))
    if expression.teeth:
        teeth = np.minimum(0.65 * opening, 0.06)
        canvas.fill(_between(0.92 * x, upper, upper + teeth), (225, 235, 238))


def _paint_glasses(canvas: Canvas, subject: Subject) -> None:
    frame, wide = (30, 30, 34), 1.35 * subject.eye_width
    for eye in (-1, 1):
        canvas.line((eye * subject.eye_x, 0.03) + _CIRCLE * (wide, 0.17), frame, width=0.03)
        outer = eye * (subject.eye_x + wide)
        canvas.line(((outer, 0), (eye * subject.head_width, -0.05)), frame, width=0.03)
    bridge = subject.eye_x - wide
    canvas.line(((-bridge, 0), (bridge, 0)), frame, width=0.03)
