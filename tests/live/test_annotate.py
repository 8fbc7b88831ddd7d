"""An annotated film has every frame of the film, with the answers drawn in, or is not there."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer.cli import main
from fer.errors import DataError
from fer.faces import camera
from fer.live.annotate import annotated
from fer.live.reading import Face, Reading
from fer.paths import Paths

FRAMES = 14


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film that gets brighter, at ten frames a second."""
    path = tmp_path / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for number in range(FRAMES):
        writer.write(np.full((240, 320, 3), 15 * number, np.uint8))
    writer.release()
    return path


def _readings(count: int = FRAMES) -> list[Reading]:
    """A face that moves to the right."""
    boxes = [(20 + 10 * number, 80, 90, 90) for number in range(count)]
    return [
        Reading("", 320, 240, [Face(box, "happy", 0.9, 4, {"happy": 0.9}, 1, ())], number)
        for number, box in enumerate(boxes)
    ]


def _frames(path: Path) -> list[NDArray[np.uint8]]:
    return list(camera.frames(str(path)))


@pytest.mark.parametrize("name", ["new.mp4", "new.webm"])
def test_each_frame_has_its_own_reading(film: Path, tmp_path: Path, name: str) -> None:
    told = list(annotated(iter(_readings()), [film], tmp_path / name))

    assert told == _readings()
    for number, frame in enumerate(_frames(tmp_path / name)):
        drawn = abs(frame[100:160].astype(int) - 15 * number).max(axis=2) > 40
        columns = np.flatnonzero(drawn.mean(axis=0) > 0.5)
        assert (columns.min(), columns.max()) == pytest.approx(
            (20 + 10 * number, 110 + 10 * number), abs=4
        )


def test_a_film_keeps_its_length_and_pace(film: Path, tmp_path: Path) -> None:
    list(annotated(iter(_readings()), [film], tmp_path / "new.mp4"))
    assert camera.header(tmp_path / "new.mp4") == camera.header(film) == camera.Header(FRAMES, 10)


def test_what_is_not_finished_is_not_there(film: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    readings = annotated(iter(_readings()), [film], tmp_path / "new.mp4")
    assert len(list(islice(readings, 5))) == 5
    readings.close()  # type: ignore[attr-defined]
    assert sorted(tmp_path.iterdir()) == before


def test_a_film_that_cannot_be_written_whole_is_refused(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """Writes five frames and says nothing of the others, as OpenCV does on a full disk."""

        fourcc = cv2.VideoWriter.fourcc

        def __init__(self) -> None:
            self.real, self.left = real(), 5
            self.open, self.release = self.real.open, self.real.release

        def write(self, frame: NDArray[np.uint8]) -> None:
            if self.left:
                self.real.write(frame)
                self.left -= 1

    real = cv2.VideoWriter
    monkeypatch.setattr(cv2, "VideoWriter", Full)
    (tmp_path / "new.mp4").write_text("the one before")
    with pytest.raises(DataError, match="disk full"):
        list(annotated(iter(_readings()), [film], tmp_path / "new.mp4"))
    assert (tmp_path / "new.mp4").read_text() == "the one before"


def test_a_picture_is_annotated_as_a_picture(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    cv2.imwrite(str(source), np.full((240, 320, 3), 90, np.uint8))
    list(annotated(iter(_readings(1)), [source], target))
    assert (camera.read_picture(target) != 90).any()


@pytest.mark.parametrize(
    ("paths", "target", "told"),
    [
        (["film.mp4", "film.mp4"], "new.mp4", "one film"),
        ([""], "new.mp4", "one film"),
        (["film.mp4"], "film.mp4", "another file"),
        (["film.mp4"], "new.mov", "ends in .mp4"),
        (["film.mp4"], "new.png", "ends in .mp4"),
        (["a.png"], "new.mp4", "ends in .png"),
    ],
)
def test_other_wishes_are_refused_before_anything_is_read(
    film: Path, tmp_path: Path, paths: list[str], target: str, told: str
) -> None:
    def never() -> Reading:
        raise AssertionError

    with pytest.raises(DataError, match=told):
        annotated(iter(never, None), [tmp_path / one for one in paths], tmp_path / target)


def test_the_command_writes_the_film_beside_its_answer(
    tmp_path: Path,
    shown: SimpleNamespace,
    paths: Paths,
    make_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(paths.root)
    source, target = tmp_path / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(shown.jpeg)
    model = str(make_model("fear"))
    assert main(["predict", str(source), "--model", model, "--annotate", str(target)]) == 0
    told = capsys.readouterr()
    assert "fear" in told.out
    assert told.err == ""
    assert camera.read_picture(target).shape == shown.image.shape
