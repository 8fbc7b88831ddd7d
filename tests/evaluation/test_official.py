"""A model on FER2013's own splits: every way to count, on a file of faces with known answers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.cli import main
from fer.data import table
from fer.errors import DataError
from fer.evaluation.official import Line, as_text, official
from fer.files import read_json
from fer.paths import Paths

VOTES = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
NO_VOTE = [0] * 10
HAPPY, CONTEMPT, UNKNOWN, TORN = (
    [10 if place == given else 0 for place in range(10)] for given in (1, 7, 8, None)
)  # fmt: skip
TORN[0], TORN[1] = 5, 5


@dataclass(frozen=True)
class Files:
    """FER2013 with 40 test faces, all happy; a model that says so of 30, and knows 8 already."""

    model: Path
    csv: Path


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory,
    faces: Callable[..., pd.DataFrame],
    written: Callable[..., pd.DataFrame],
    model_file: Callable[..., Path],
) -> Files:
    folder = tmp_path_factory.mktemp("fer2013")
    told = np.array([3] * 30 + [4] * 10)
    pixels = table.decode(written(faces(40), told)["image"]).copy()
    # Seen in a mirror, the last ten say happy, and louder than they say sad.
    pixels[30:, 0, :7] //= 2
    pixels[30:, 0, -7:] = 255 * np.eye(7, dtype=np.uint8)[3][::-1]
    rows = [("Training", pixels[row]) for row in range(8)] + [
        ("PrivateTest", one) for one in pixels
    ]
    _write_csv(folder / "fer2013.csv", rows)
    return Files(model_file(folder / "model.onnx"), folder / "fer2013.csv")


def _write_csv(path: Path, rows: list[tuple[str, np.ndarray]]) -> None:
    lines = [f"3,{' '.join(map(str, face.ravel()))},{usage}" for usage, face in rows]
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]))


def _write_votes(csv: Path, cast: list[list[int]]) -> None:
    usages = ["Training"] * 8 + ["PrivateTest"] * 40
    every = [HAPPY] * 8 + cast
    lines = [
        f"{usage},,{','.join(map(str, row))}" for usage, row in zip(usages, every, strict=True)
    ]
    csv.with_name("fer2013new.csv").write_text("\n".join([VOTES, *lines]))


def _line(lines: list[Line], labels: str, *, leaked: bool = True, mirrored: bool = False) -> Line:
    (one,) = (
        line
        for line in lines
        if (line.labels, line.leaked, line.mirrored) == (labels, leaked, mirrored)
    )
    return one


def test_copies_of_training_faces_are_counted_in_and_out(files: Files) -> None:
    lines = official(files.model, files.csv, "test").lines

    published, clean = (_line(lines, "FER2013", leaked=leaked) for leaked in (True, False))
    assert (published.faces, published.accuracy.value) == (40, 0.75)
    assert (clean.faces, clean.accuracy.value) == (32, pytest.approx(22 / 32))


def test_the_mirror_image_has_half_a_say(files: Files) -> None:
    lines = official(files.model, files.csv, "test").lines

    assert _line(lines, "FER2013").accuracy.value == 0.75
    assert _line(lines, "FER2013", mirrored=True).accuracy.value == 1


def test_intervals_hold_the_figure_and_have_the_width_of_a_binomial(files: Files) -> None:
    accuracy = _line(official(files.model, files.csv, "test").lines, "FER2013").accuracy

    assert accuracy.low < accuracy.value < accuracy.high
    assert accuracy.high - accuracy.low == pytest.approx(
        2 * 1.96 * np.sqrt(0.75 * 0.25 / 40), rel=0.15
    )


def test_per_class_and_macro_f1_are_of_the_emotions_that_are_there(files: Files) -> None:
    report = official(files.model, files.csv, "test")

    happy = report.per_class["happy"]
    assert (happy.support, happy.precision, happy.recall) == (40, 1, 0.75)
    assert _line(report.lines, "FER2013").macro_f1.value == pytest.approx(happy.f1)


def test_votes_are_counted_over_eight_classes_and_over_seven(files: Files, tmp_path: Path) -> None:
    csv = tmp_path / "fer2013.csv"
    csv.write_bytes(files.csv.read_bytes())
    _write_votes(csv, [HAPPY] * 20 + [CONTEMPT] * 5 + [UNKNOWN] * 3 + [TORN] * 2 + [HAPPY] * 10)

    lines = official(files.model, csv, "test").lines

    # Nobody knows what the unknown and the torn ones show; contempt is no answer of ours.
    eight, seven = (_line(lines, f"FER+, {classes} classes") for classes in (8, 7))
    assert (eight.faces, eight.accuracy.value) == (35, pytest.approx(20 / 35))
    assert (seven.faces, seven.accuracy.value) == (30, pytest.approx(20 / 30))


def test_without_votes_only_fer2013s_labels_count(files: Files) -> None:
    lines = official(files.model, files.csv, "test").lines

    assert {line.labels for line in lines} == {"FER2013"}


def test_a_split_that_is_not_there_is_refused(files: Files) -> None:
    with pytest.raises(DataError, match="Expected PublicTest faces"):
        official(files.model, files.csv, "validation")


def test_the_text_tells_every_line_and_that_it_is_for_no_choice(files: Files) -> None:
    report = official(files.model, files.csv, "test")

    told = list(as_text(report))

    assert "PrivateTest" in told[0]
    assert sum(line.startswith("FER2013  ") for line in told) == len(report.lines)
    assert "choose nothing by it" in told[-1]


def test_the_command_writes_a_report_and_touches_nothing_of_the_pipeline(
    files: Files,
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(paths.root)

    status = main(
        ["evaluate", "--split", "test", "--model", str(files.model), "--data", str(files.csv)]
    )

    assert status == 0
    assert "75.0%" in capsys.readouterr().out
    written = [file.name for file in paths.report("x").parent.iterdir()]
    assert written == ["official-test.json"]
    assert read_json(paths.report(written[0]))["usage"] == "PrivateTest"


@pytest.mark.parametrize("options", [["--model", "m.onnx"], ["--split", "test"]])
def test_half_a_question_is_refused(
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    monkeypatch.chdir(paths.root)

    assert main(["evaluate", *options]) == 1
    assert "Expected" in capsys.readouterr().err
