"""The base table: drawn faces split by person, or the data set that was asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer import params
from fer.data import table
from fer.data.base import base
from fer.emotions import EMOTIONS
from fer.errors import Busy, DataError, ParamsError
from fer.files import locked, read_json
from fer.params import BaseParams
from fer.paths import Paths

Settings = Callable[..., BaseParams]


@pytest.fixture
def settings(paths: Paths) -> Settings:
    shipped = params.load(paths.params).base
    few = shipped.synthetic.model_copy(update={"subjects": 10, "faces_per_subject": 7})
    return lambda **changes: shipped.model_copy(update={"synthetic": few, **changes})


def write_fer2013(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for number in range(21):
        usage = ("Training", "PublicTest", "PrivateTest")[number % 3]
        pixels = " ".join(map(str, rng.integers(256, size=48 * 48)))
        lines.append(f"{number % 7},{pixels},{usage}")
    folder.mkdir()
    (folder / "fer2013.csv").write_text("\n".join(lines))
    return folder


def test_drawn_faces_of_a_person_are_on_one_side(paths: Paths, settings: Settings) -> None:
    report = base(settings(), paths)
    faces = table.read(paths.base)
    assert len(faces) == 70
    assert (faces.groupby("subject")["split"].nunique() == 1).all()
    assert report.faces == {"train": 49, "validation": 21}
    assert report.labels == dict.fromkeys(EMOTIONS, 10)
    assert set(faces["source"]) == {"synthetic"}


def test_the_same_settings_give_the_same_bytes(paths: Paths, settings: Settings) -> None:
    base(settings(), paths)
    first = paths.base.read_bytes()
    base(settings(), paths)
    assert paths.base.read_bytes() == first
    base(settings(seed=2), paths)
    assert paths.base.read_bytes() != first


def test_the_report_is_what_is_returned(paths: Paths, settings: Settings) -> None:
    report = base(settings(), paths)
    assert read_json(paths.report("base.json")) == vars(report)


@pytest.mark.parametrize("kind", ["relative", "absolute"])
def test_fer2013_is_found_and_keeps_its_official_sides(
    paths: Paths, settings: Settings, kind: str
) -> None:
    folder = write_fer2013(paths.root / "my data")
    path = str(folder) if kind == "absolute" else "my data"
    report = base(settings(source="fer2013", path=path), paths)
    assert report.faces == {"train": 7, "validation": 7, "test": 7}
    assert set(table.read(paths.base)["source"]) == {"fer2013"}


@pytest.mark.parametrize("source", ["fer2013", "ferplus", "fer2013+ferplus"])
def test_without_a_path_the_setting_is_named(
    paths: Paths, settings: Settings, source: str
) -> None:
    with pytest.raises(ParamsError, match=r"base\.path"):
        base(settings(source=source), paths)


def test_a_failure_leaves_the_old_table(paths: Paths, settings: Settings) -> None:
    base(settings(), paths)
    before = paths.base.read_bytes()
    with pytest.raises(DataError):
        base(settings(source="fer2013", path="nowhere"), paths)
    assert paths.base.read_bytes() == before


def test_two_at_once_are_refused(paths: Paths, settings: Settings) -> None:
    with locked(paths.lock("base")), pytest.raises(Busy):
        base(settings(), paths)
