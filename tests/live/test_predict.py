"""Photos, folders and films become JSON, CSV and lines for people."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer.cli import main
from fer.errors import CameraError, DataError
from fer.faces.detect import Detector
from fer.live.predict import as_csv, as_json, as_text, predict, watched
from fer.live.predictor import Predictor
from fer.live.reading import Answer, Reading
from fer.paths import Paths
from tests.live.conftest import write_film


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture
def answer(make_model: Callable[..., Path]) -> Answer:
    return Predictor.of_file(make_model("happy")).probabilities


@pytest.fixture
def photos(tmp_path: Path, shown: SimpleNamespace) -> Path:
    folder = tmp_path / "photos, mine"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(shown.jpeg)
    cv2.imwrite(str(folder / "b.png"), np.zeros((60, 80, 3), np.uint8))
    return folder


@pytest.fixture
def film(tmp_path: Path, shown: SimpleNamespace) -> Path:
    return write_film(tmp_path / "film.avi", shown.image, 4)


def test_json_is_a_list_of_pictures_with_faces(
    photos: Path, detector: Detector, answer: Answer
) -> None:
    first, second = json.loads("\n".join(as_json(predict([photos], detector, answer))))
    assert (first["width"], first["height"]) == (640, 480)
    (face,) = first["faces"]
    assert set(face) == {
        "box", "emotion", "confidence", "score", "probabilities", "track", "quality"
    }  # fmt: skip
    assert (face["emotion"], face["track"]) == ("happy", None)
    assert (second["path"], second["faces"]) == (str(photos / "b.png"), [])
    assert set(first) == {"path", "width", "height", "faces"}


def test_a_film_has_one_face_with_one_number(
    film: Path, detector: Detector, answer: Answer
) -> None:
    readings = list(predict([film], detector, answer))
    assert [one.frame for one in readings] == [0, 1, 2, 3]
    assert {face.track for one in readings for face in one.faces} == {1}
    assert len(list(as_text(iter(readings)))) == 1


def test_csv_has_a_row_a_face(photos: Path, detector: Detector, answer: Answer) -> None:
    lines = list(as_csv(predict([photos], detector, answer)))
    (row,) = csv.DictReader(lines)
    assert row["path"] == str(photos / "a.jpg")
    assert (row["emotion"], row["frame"]) == ("happy", "")
    assert float(row["happy"]) == float(row["confidence"])
    assert row["quality"] == ""


def test_a_flaw_is_told_in_every_style(
    tmp_path: Path, shown: SimpleNamespace, detector: Detector, answer: Answer
) -> None:
    far = cv2.resize(shown.image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    path = tmp_path / "far.png"
    cv2.imwrite(str(path), far)
    (told,) = json.loads("\n".join(as_json(predict([path], detector, answer))))
    (row,) = csv.DictReader(as_csv(predict([path], detector, answer)))
    (line,) = as_text(predict([path], detector, answer))
    assert told["faces"][0]["quality"] == ["small"]
    assert row["quality"] == "small"
    assert line.endswith("(small)")


def test_a_picture_without_a_face_says_so(
    photos: Path, detector: Detector, answer: Answer
) -> None:
    lines = list(as_text(predict([photos], detector, answer)))
    assert "happy" in lines[0]
    assert lines[1].endswith("b.png: no face")


def test_a_damaged_picture_is_skipped_unless_it_is_all_there_is(
    photos: Path, detector: Detector, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    (photos / "c.jpg").write_bytes(b"junk")
    assert len(list(predict([photos], detector, answer))) == 2
    assert "c.jpg" in caplog.text
    with pytest.raises(DataError, match=r"c\.jpg"):
        list(predict([photos / "c.jpg"], detector, answer))


def test_what_is_not_there_is_refused_before_anything_is_read(
    photos: Path, detector: Detector, answer: Answer
) -> None:
    with pytest.raises(DataError, match="nowhere"):
        predict([photos, photos / "nowhere"], detector, answer)


def test_a_file_that_is_no_film_is_refused(
    tmp_path: Path, detector: Detector, answer: Answer
) -> None:
    (tmp_path / "notes.txt").write_text("no film")
    with pytest.raises(CameraError, match=r"notes\.txt"):
        list(predict([tmp_path / "notes.txt"], detector, answer))


def test_nothing_to_read_is_an_empty_list(
    tmp_path: Path, detector: Detector, answer: Answer
) -> None:
    assert json.loads("".join(as_json(predict([tmp_path], detector, answer)))) == []


def test_the_command_prints_one_json_list(
    photos: Path,
    paths: Paths,
    make_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(paths.root)
    model = make_model("fear")
    assert main(["predict", str(photos), "--json", "--model", str(model)]) == 0
    first, _ = json.loads(capsys.readouterr().out)
    assert first["faces"][0]["emotion"] == "fear"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_shown_how_many_are_done(
    photos: Path,
    film: Path,
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm")
    readings = [Reading("", 8, 8, [])] * 6
    assert list(watched(iter(readings), [photos, film])) == readings
    told = capsys.readouterr()
    assert told.out == ""
    assert ("6/6" in told.err) == terminal
    assert bool(told.err) == terminal
