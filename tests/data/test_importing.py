"""Labelled pictures become faces; what is wrong with the others is told, never fatal."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.data.importing import Imported, import_faces
from fer.data.synthetic import draw_frames
from fer.errors import DataError
from fer.faces.align import canonical_crop

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Import = Callable[..., Imported]


@pytest.fixture
def run() -> Import:
    """Return `import_faces` with aligned pictures and no other options."""

    def imported(path: Path, **options: object) -> Imported:
        defaults = {
            "domain": "lab",
            "name": None,
            "subject_pattern": None,
            "aligned": True,
            "detector": None,
            "now": NOW,
        }
        return import_faces(path, **(defaults | options))  # type: ignore[arg-type]

    return imported


def _picture(path: Path, *, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 60, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def _texts(column: pd.Series) -> list[str | None]:
    # pandas keeps a missing text as NaN.
    return [None if pd.isna(text) else text for text in column]


def _reasons(imported: Imported) -> dict[str, str]:
    return {str(problem.path): problem.reason for problem in imported.problems}


def test_a_face_is_one_complete_row(tmp_path: Path, run: Import) -> None:
    path = _picture(tmp_path / "set" / "Happiness" / "1.png")
    (row,) = run(tmp_path / "set").faces.to_dict("records")
    pixels = canonical_crop(np.asarray(cv2.imread(str(path)), np.uint8))
    np.testing.assert_array_equal(table.decode([row.pop("image")])[0], pixels)
    known = {key: value for key, value in row.items() if not pd.isna(value)}
    assert known == {
        "id": table.face_id(pixels),
        "label": "happy",
        "source": "import:set",
        "domain": "lab",
        "captured_at": NOW,
        "label_source": "human",
    }


def test_the_table_can_be_written_and_read(tmp_path: Path, run: Import) -> None:
    _picture(tmp_path / "sad" / "1.png")
    table.write(tmp_path / "faces.parquet", run(tmp_path, name="mine").faces)
    faces = table.read(tmp_path / "faces.parquet")
    assert faces["source"].tolist() == ["import:mine"]
    assert _texts(faces["subject"]) == _texts(faces["session"]) == [None]
    assert faces["captured_at"].tolist() == [NOW]


@pytest.mark.parametrize(("folders", "label"), [
    ("angry", "angry"),
    ("Fearful", "fear"),
    ("3", "happy"),
    ("train/joy/person_7", "happy"),
    ("happy/sad", "sad"),  # the nearest
    ("happy/03", "happy"),  # a person's number
    ("happy/AN", "happy"),  # a person's initials
    ("none", "neutral"),
])  # fmt: skip
def test_the_label_is_the_nearest_folder_that_names_one(
    tmp_path: Path, run: Import, folders: str, label: str
) -> None:
    _picture(tmp_path / folders / "1.png")
    assert run(tmp_path).faces["label"].tolist() == [label]


def test_the_imported_folder_may_itself_name_the_label(tmp_path: Path, run: Import) -> None:
    _picture(tmp_path / "surprised" / "1.png")
    assert run(tmp_path / "surprised").faces["label"].tolist() == ["surprise"]


def test_problems_are_told_and_the_rest_is_imported(tmp_path: Path, run: Import) -> None:
    _picture(tmp_path / "happy" / "good.png")
    _picture(tmp_path / "contempt" / "unknown.png")
    (tmp_path / "happy" / "bad.png").write_bytes(b"junk")
    (tmp_path / "happy" / "notes.txt").write_text("not a picture, and no problem")
    (tmp_path / "happy" / "._good.png").write_bytes(b"hidden")
    imported = run(tmp_path)
    assert imported.faces["label"].tolist() == ["happy"]
    reasons = _reasons(imported)
    assert set(reasons) == {"contempt/unknown.png", "happy/bad.png"}
    assert "'contempt'" in reasons["contempt/unknown.png"]


def test_a_strip_is_a_problem_and_not_fatal(tmp_path: Path, run: Import) -> None:
    (tmp_path / "sad").mkdir()
    cv2.imwrite(str(tmp_path / "sad" / "strip.png"), np.zeros((10, 90, 3), np.uint8))
    assert set(_reasons(run(tmp_path))) == {"sad/strip.png"}


# -- detection ---------------------------------------------------------------------------------


def test_faces_are_found_in_whole_pictures(tmp_path: Path, run: Import) -> None:
    drawn = list(draw_frames(camera="studio", subjects=["a", "b"], per_subject=1, seed=0))
    (tmp_path / "fear").mkdir()
    cv2.imwrite(str(tmp_path / "fear" / "one.png"), drawn[0].image)
    cv2.imwrite(str(tmp_path / "fear" / "two.png"), np.hstack([each.image for each in drawn]))
    cv2.imwrite(str(tmp_path / "fear" / "wall.png"), np.full((90, 90, 3), 99, np.uint8))
    imported = run(tmp_path, aligned=False)
    assert len(imported.faces) == 2
    assert imported.crowded == 1
    assert set(_reasons(imported)) == {"fear/wall.png"}


# -- csv ---------------------------------------------------------------------------------------


def _csv(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file_lists_pictures_beside_it(tmp_path: Path, run: Import) -> None:
    _picture(tmp_path / "faces" / "1.png", seed=1)
    _picture(tmp_path / "faces" / "2.png", seed=2)
    text = "path,label,subject,session\nfaces/1.png,Neutrality,ann,monday\nfaces/2.png,none,,\n"
    faces = run(_csv(tmp_path, text)).faces
    assert faces["label"].tolist() == ["neutral", "neutral"]
    assert faces["source"].tolist() == ["import:labels"] * 2
    assert _texts(faces["subject"]) == ["ann", None]
    assert _texts(faces["session"]) == ["monday", None]


def test_the_header_may_come_from_a_spreadsheet(tmp_path: Path, run: Import) -> None:
    _picture(tmp_path / "1.png")
    assert len(run(_csv(tmp_path, "\ufeffPath, Label\r\n1.png,sad\r\n")).faces) == 1


def test_paths_that_leave_the_folder_are_not_followed(tmp_path: Path, run: Import) -> None:
    outside = _picture(tmp_path / "outside.png")
    inside = tmp_path / "set"
    _picture(inside / "1.png")
    imported = run(
        _csv(inside, f"path,label\n../outside.png,sad\n{outside},sad\n1.png,sad\n1.png\n,sad\n")
    )
    assert len(imported.faces) == 1
    reasons = {problem.reason for problem in imported.problems}
    assert sum("below" in reason for reason in reasons) == 2
    assert len(imported.problems) == 4


@pytest.mark.parametrize("text", ["", "1.png,happy\n", "path;label\n1.png;happy\n", "path\n1\n"])
def test_a_csv_file_with_other_columns_is_refused(tmp_path: Path, run: Import, text: str) -> None:
    with pytest.raises(DataError, match="columns path and label"):
        run(_csv(tmp_path, text))


def test_a_csv_file_that_is_none_is_refused(tmp_path: Path, run: Import) -> None:
    path = tmp_path / "labels.csv"
    with pytest.raises(DataError, match="received"):
        run(path)
    path.write_bytes(b"path,label\n\xff\xfe,happy\n")
    with pytest.raises(DataError, match="UTF-8"):
        run(path)


@pytest.mark.parametrize("name", ["", "missing", "picture.png", "labels.csv"])
def test_nothing_to_import_is_an_error(tmp_path: Path, run: Import, name: str) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    _csv(tmp_path, "path,label\n")
    with pytest.raises(DataError, match="Expected pictures"):
        run(tmp_path / name)


# -- subjects ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("pattern", "subject", "session"), [
    (r"/(\w+)_", "ann", None),
    (r"_(?P<session>\d+)", None, "2"),
    (r"(?P<subject>ann)_(?P<session>\d)", "ann", "2"),
    (r"(sad)/(?P<subject>\w+)_", "ann", None),
    (r"(?P<session>sad)/([a-z]+)_", "ann", "sad"),
])  # fmt: skip
def test_the_pattern_finds_the_subject(
    tmp_path: Path, run: Import, pattern: str, subject: str | None, session: str | None
) -> None:
    _picture(tmp_path / "sad" / "ann_2.png")
    faces = run(tmp_path, subject_pattern=pattern).faces
    assert _texts(faces["subject"]) == [subject]
    assert _texts(faces["session"]) == [session]


def test_a_path_that_the_pattern_does_not_fit_has_no_subject(tmp_path: Path, run: Import) -> None:
    for name in ("ann_1.png", "someone.png"):
        _picture(tmp_path / "sad" / name)
    imported = run(tmp_path, subject_pattern=r"([a-z]+)_")
    assert _texts(imported.faces["subject"]) == ["ann", None]
    assert imported.problems == []


def test_a_csv_column_wins_over_the_pattern(tmp_path: Path, run: Import) -> None:
    _picture(tmp_path / "ann_1.png")
    path = _csv(tmp_path, "path,label,subject\nann_1.png,sad,bob\n")
    faces = run(path, subject_pattern=r"([a-z]+)_(?P<session>\d)").faces
    assert (faces["subject"][0], faces["session"][0]) == ("bob", "1")


@pytest.mark.parametrize("pattern", ["(", r"ann_\d", r"(nobody)"])
def test_a_wrong_pattern_is_refused(tmp_path: Path, run: Import, pattern: str) -> None:
    _picture(tmp_path / "sad" / "ann_1.png")
    with pytest.raises(DataError, match=r"received|none"):
        run(tmp_path, subject_pattern=pattern)
