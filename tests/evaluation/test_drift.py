"""Drift is told where faces differ, and silent where they do not, however often one looks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.errors import MissingData
from fer.evaluation import sketch as sketches
from fer.evaluation.drift import as_text, drift, judge
from fer.evaluation.sketch import EDGES, EMOTION, KEPT, WINDOW, Camera, Seen, Sketch
from fer.params import DriftParams
from fer.paths import Paths

PARAMS = DriftParams(false_alarms=0.05, min_new_faces=None)


def drawn(count: int, rng: np.random.Generator, *, higher: int = 0, emotion: int = 0) -> Sketch:
    """Return a sketch whose every measure is in the middle, or `higher` by so many bins."""
    found = {
        name: np.bincount(
            np.clip(rng.normal(15 + higher, 4, count).astype(int), 0, len(edges)),
            minlength=len(edges) + 1,
        )
        for name, edges in EDGES.items()
    }
    return {**found, EMOTION: np.bincount(np.full(count, emotion), minlength=7)}


def camera(looks: int, rng: np.random.Generator, **changes: int) -> Camera:
    return Camera(looks, [drawn(WINDOW, rng, **changes) for _ in range(min(looks, KEPT))])


def test_a_placewithout_a_shift_is_left_alone_at_every_look() -> None:
    rng = np.random.default_rng(1)
    reference, seen = drawn(3000, rng), Seen(1)

    for _ in range(200):
        seen.add("kiosk", drawn(WINDOW, rng))
        assert not judge("kiosk", seen.cameras["kiosk"], reference, 0.05).shifted


@pytest.mark.parametrize("higher", [-8, 8])
def test_a_large_shift_is_told_by_the_first_window(higher: int) -> None:
    rng = np.random.default_rng(2)

    found = judge("kiosk", camera(1, rng, higher=higher), drawn(3000, rng), 0.05)

    assert [each.name for each in found.measures if each.shifted] == list(EDGES)
    assert all(each.moved * higher > 0 for each in found.measures)
    assert {each.faces for each in found.measures} == {WINDOW}


def test_many_windows_tell_a_shift_that_one_does_not() -> None:
    rng = np.random.default_rng(3)
    reference = drawn(3000, rng)

    assert not judge("kiosk", camera(1, rng, higher=1), reference, 0.05).shifted
    assert judge("kiosk", camera(KEPT, rng, higher=1), reference, 0.05).shifted


def test_a_shift_is_told_late_too() -> None:
    rng = np.random.default_rng(4)
    late = Camera(10_000, [drawn(WINDOW, rng, higher=8) for _ in range(KEPT)])

    assert judge("kiosk", late, drawn(3000, rng), 0.05).shifted


def test_the_more_looks_the_more_is_asked_for() -> None:
    rng = np.random.default_rng(5)
    reference, windows = drawn(3000, rng), [drawn(WINDOW, rng)]
    limits = [
        judge("kiosk", Camera(looks, windows), reference, 0.05).measures[0].limit
        for looks in (1, 10, 100)
    ]

    assert limits == sorted(set(limits))


def test_other_emotions_are_no_drift() -> None:
    rng = np.random.default_rng(6)

    assert not judge("kiosk", camera(KEPT, rng, emotion=3), drawn(3000, rng), 0.05).shifted


# -- with faces and a model -------------------------------------------------------------------


@pytest.fixture
def judged(
    paths: Paths,
    faces: Callable[..., pd.DataFrame],
    written: Callable[..., pd.DataFrame],
    model_file: Callable[..., Path],
) -> Paths:
    """A checkout with a model and validation faces: 200 of a base, 200 of a dark kiosk."""
    rows = faces(400, domain=["base"] * 200 + ["kiosk"] * 200, split="validation")
    pixels = table.decode(rows["image"])
    pixels[200:] //= 3
    rows["image"] = table.encode(pixels)
    table.write(paths.validation, written(rows, np.arange(400) % 7))
    model_file(paths.candidate)
    return paths


def seen_at(paths: Paths, camera: str, *, version: int = 4) -> None:
    """Let a camera have seen the kiosk's faces."""
    pixels = table.decode(table.read(paths.validation)["image"])[200:]
    shares = np.eye(7, dtype=np.float32)[np.arange(200) % 7] * 0.98 + 0.02 / 7
    seen = Seen(version)
    for start in range(0, 200, WINDOW):
        part = slice(start, start + WINDOW)
        seen.add(camera, sketches.sketch(pixels[part], shares[part]))
    sketches.write(paths.seen, seen)


@pytest.mark.parametrize(("place", "shifted"), [("kiosk", False), ("new", True)])
def test_a_placeis_compared_with_its_own_validation_faces_else_with_all(
    judged: Paths, place: str, shifted: bool
) -> None:
    seen_at(judged, place)

    (found,) = drift(PARAMS, judged, model=judged.candidate, version=4)

    brightness = next(each for each in found.measures if each.name == "brightness")
    assert (found.camera, found.looks, brightness.shifted) == (place, 4, shifted)
    told = "\n".join(as_text([found]))
    assert place in told
    assert ("shifted" in told) == found.shifted


def test_what_another_model_saw_does_not_count(judged: Paths) -> None:
    seen_at(judged, "kiosk", version=3)

    assert drift(PARAMS, judged, model=judged.candidate, version=4) == []


def test_nothing_seen_is_no_drift_and_needs_no_faces(paths: Paths) -> None:
    assert drift(PARAMS, paths, model=paths.candidate, version=4) == []
    assert "yet" in as_text([])[0]


def test_without_validation_faces_it_says_what_to_do(judged: Paths) -> None:
    seen_at(judged, "kiosk")
    judged.validation.unlink()

    with pytest.raises(MissingData, match="dvc repro"):
        drift(PARAMS, judged, model=judged.candidate, version=4)
