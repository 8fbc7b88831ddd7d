"""Properties of reading FER2013, on files of a few faces that the tests make."""

import io
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer.data import fer2013, fer2013_csv, fer2013_layouts, ferplus, table
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.records import FACES

HEADER = "emotion,pixels,Usage\n"
VOTES_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
)
USAGE_OF = {split: usage for usage, split in fer2013_csv.USAGES.items()}


@dataclass(frozen=True)
class Face:
    """One row of a csv file: the seed of its pixels, FER2013's number of the emotion, Usage.

    A darker one is another file of the same picture.
    """

    seed: int
    emotion: int = 3
    usage: str = "Training"
    darker: int = 0

    @property
    def pixels(self) -> table.Pixels:
        drawn = np.random.default_rng(self.seed).integers(256, size=(48, 48), dtype=np.uint8)
        return np.clip(drawn, self.darker, 255) - np.uint8(self.darker)

    @property
    def text(self) -> str:
        return " ".join(map(str, self.pixels.ravel().tolist()))


FACES_MADE = [
    Face(0, 0), Face(1, 1), Face(2, 2), Face(3, 3), Face(4, 4), Face(5, 5), Face(6, 6),
    Face(7, 3, "PublicTest"), Face(8, 0, "PrivateTest"),
]  # fmt: skip


def write_csv(path: Path, faces: Sequence[Face]) -> Path:
    rows = (f"{face.emotion},{face.text},{face.usage}\n" for face in faces)
    path.write_text(HEADER + "".join(rows))
    return path


def write_icml(folder: Path, faces: Sequence[Face]) -> Path:
    rows = (f"{face.emotion},{face.usage},{face.text}\n" for face in faces)
    path = folder / "icml_face_data.csv"
    path.write_text("emotion, Usage, pixels\n" + "".join(rows))
    return path


def write_images(folder: Path, faces: Sequence[Face]) -> Path:
    names = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
    for row, face in enumerate(faces):
        split = "train" if face.usage == "Training" else "test"
        image = folder / split / names[face.emotion] / f"{face.usage}_{row}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(image), face.pixels)
    (folder / "train" / ".DS_Store").write_bytes(b"no folder")
    return folder


def write_votes(folder: Path, faces: Sequence[Face], votes: Sequence[Sequence[int]]) -> None:
    rows = (
        f"{face.usage},fer{row:07}.png,{','.join(map(str, cast))}\n"
        for row, (face, cast) in enumerate(zip(faces, votes, strict=True))
    )
    (folder / "fer2013new.csv").write_text(VOTES_HEADER + "".join(rows))


def zipped(content: Path, *, top: str = "") -> Path:
    """Return a zip of a file or of all files of a folder, below the folder `top`."""
    files = [content] if content.is_file() else [f for f in content.rglob("*") if f.is_file()]
    root = content.parent if content.is_file() else content
    path = content.with_name(content.name + "-packed")  # It is known by its bytes, not its name.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, top + file.relative_to(root).as_posix())
    return path


def load(
    path: Path, *, labels: fer2013.Labels = "fer2013", keep_copies: bool = False
) -> fer2013.Loaded:
    return fer2013.load(path, labels=labels, keep_copies=keep_copies)


def load_csv(folder: Path, faces: Sequence[Face], *, keep_copies: bool = False) -> fer2013.Loaded:
    return load(write_csv(folder / "fer2013.csv", faces), keep_copies=keep_copies)


def left_out(loaded: fer2013.Loaded) -> dict[str, int]:
    return {reason: loaded.counts[reason] for reason in fer2013.REASONS if loaded.counts[reason]}


def kept(loaded: fer2013.Loaded) -> list[tuple[str, str]]:
    """Return the label and the split of each face."""
    return list(zip(loaded.faces["label"], loaded.faces["split"], strict=True))


# -- layouts ---------------------------------------------------------------------------------


def make_csv(folder: Path) -> Path:
    return write_csv(folder / "fer2013.csv", FACES_MADE)


def make_csv_below(folder: Path) -> Path:
    (folder / "fer2013").mkdir()
    return write_csv(folder / "fer2013" / "fer2013.csv", FACES_MADE).parents[1]


def make_other_name(folder: Path) -> Path:
    return write_csv(folder / "faces of mine.csv", FACES_MADE)


def make_resaved(folder: Path) -> Path:
    """Return what pandas saves with its row numbers, quotes and the line ends of Windows."""
    frame = pd.read_csv(make_csv(folder))
    frame.to_csv(folder / "fer2013.csv", quoting=2, lineterminator="\r\n")
    return folder / "fer2013.csv"


def make_without_last_line_end(folder: Path) -> Path:
    path = make_csv(folder)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip(b"\n"))
    return path


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "csv": make_csv,
    "folder with the csv": lambda folder: make_csv(folder).parent,
    "folder above the csv": make_csv_below,
    "csv of another name": make_other_name,
    "icml csv": lambda folder: write_icml(folder, FACES_MADE),
    "folder with the icml csv": lambda folder: write_icml(folder, FACES_MADE).parent,
    "re-saved csv": make_resaved,
    "no last line end, byte order mark": make_without_last_line_end,
    "images": lambda folder: write_images(folder, FACES_MADE),
    "images below": lambda folder: write_images(folder / "archive", FACES_MADE).parent,
    "zip of the csv": lambda folder: zipped(make_csv(folder)),
    "zip of images": lambda folder: zipped(write_images(folder / "f", FACES_MADE)),
    "zip of images below": lambda folder: zipped(write_images(folder / "f", FACES_MADE), top="x/"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_faces(layout: str, tmp_path: Path) -> None:
    faces = load(LAYOUTS[layout](tmp_path)).faces
    assert np.array_equal(table.decode(faces["image"]), [face.pixels for face in FACES_MADE])
    assert list(faces["label"]) == [EMOTIONS[face.emotion] for face in FACES_MADE]
    assert [USAGE_OF[split] for split in faces["split"]] == [face.usage for face in FACES_MADE]


def test_the_table_can_be_written_and_read(tmp_path: Path) -> None:
    faces = load_csv(tmp_path, FACES_MADE).faces
    table.write(tmp_path / "faces.parquet", faces)
    again = table.read(tmp_path / "faces.parquet")
    assert list(again.columns) == FACES.names
    assert list(again["id"]) == [table.face_id(face.pixels) for face in FACES_MADE]
    assert set(again["source"]) | set(again["domain"]) == {"fer2013"}
    assert set(again["label_source"]) == {"human"}
    unknown_here = again[["votes", "subject", "session", "captured_at", "consent"]]
    assert unknown_here.isna().all(axis=None)


def test_images_without_an_official_name_take_the_split_of_their_folder(tmp_path: Path) -> None:
    write_images(tmp_path, [Face(0), Face(1, 0, "PublicTest")])
    (tmp_path / "train/happy/Training_0.png").rename(tmp_path / "train/happy/im0.png")
    (tmp_path / "test/angry/PublicTest_1.png").rename(tmp_path / "test/angry/im0.png")
    assert set(kept(load(tmp_path))) == {("happy", "train"), ("angry", "validation")}


def test_kaggles_jpg_names_tell_public_from_private(tmp_path: Path) -> None:
    for name in ("train/sad/Training_9.jpg", "test/sad/PrivateTest_10131363.jpg",
                 "test/sad/PublicTest_98.JPG"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), Face(len(name)).pixels)
    assert kept(load(tmp_path)) == [("sad", "train"), ("sad", "validation"), ("sad", "test")]


# -- faults of FER2013 -----------------------------------------------------------------------


def test_a_training_copy_of_an_evaluation_face_is_left_out(tmp_path: Path) -> None:
    faces = [Face(0), Face(1), Face(0, 4, "PublicTest"), Face(1, 3, "PrivateTest"), Face(2)]
    loaded = load_csv(tmp_path, faces)
    assert left_out(loaded) == {"copies_across_splits": 2}
    assert kept(loaded) == [("sad", "validation"), ("happy", "test"), ("happy", "train")]


def test_with_keep_copies_it_stays_and_the_evaluation_face_goes(tmp_path: Path) -> None:
    faces = [Face(0), Face(0, 4, "PublicTest"), Face(0, 3, "PrivateTest"), Face(1)]
    loaded = load_csv(tmp_path, faces, keep_copies=True)
    assert left_out(loaded) == {"copies_across_splits": 2}
    assert kept(loaded) == [("happy", "train")] * 2


def test_a_validation_copy_of_a_test_face_is_left_out(tmp_path: Path) -> None:
    loaded = load_csv(tmp_path, [Face(0, 3, "PublicTest"), Face(0, 3, "PrivateTest")])
    assert kept(loaded) == [("happy", "test")]


def test_one_of_agreeing_copies_stays(tmp_path: Path) -> None:
    loaded = load_csv(tmp_path, [Face(0)] * 3 + [Face(1, 0, "PublicTest")] * 2)
    assert left_out(loaded) == {"copies_within_splits": 3}
    assert kept(loaded) == [("happy", "train"), ("angry", "validation")]


def test_no_training_copy_stays_where_labels_conflict(tmp_path: Path) -> None:
    loaded = load_csv(tmp_path, [Face(0, 3), Face(0, 3), Face(0, 4), Face(1)])
    assert left_out(loaded) == {"conflicting": 3}
    assert len(loaded.faces) == 1


def test_the_first_evaluation_copy_stays_where_labels_conflict(tmp_path: Path) -> None:
    loaded = load_csv(tmp_path, [Face(0, 5, "PublicTest"), Face(0, 4, "PublicTest")])
    assert left_out(loaded) == {"conflicting": 1}
    assert kept(loaded) == [("surprise", "validation")]


def test_a_blank_picture_is_left_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "fer2013.csv", [Face(0)])
    nearly_black = " ".join(["0"] * 2303 + ["50"])
    path.write_text(path.read_text() + f"3,{nearly_black},PublicTest\n")
    loaded = load(path)
    assert left_out(loaded) == {"blank": 1}
    assert kept(loaded) == [("happy", "train")]


few_faces = st.lists(
    st.builds(
        Face, st.integers(0, 3), st.integers(2, 3), st.sampled_from(list(USAGE_OF.values()))
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(faces=few_faces, keep_copies=st.booleans())
def test_ids_are_unique_and_every_row_is_counted(
    tmp_path_factory: pytest.TempPathFactory, faces: list[Face], keep_copies: bool
) -> None:
    loaded = load_csv(tmp_path_factory.mktemp("faces"), faces, keep_copies=keep_copies)
    assert loaded.faces["id"].is_unique
    assert loaded.counts["rows"] == len(faces)
    assert loaded.counts["faces"] == len(loaded.faces)
    assert sum(left_out(loaded).values()) + len(loaded.faces) == len(faces)


# -- FER+ ------------------------------------------------------------------------------------

# Columns: neutral, happy, surprise, sad, angry, disgust, fear, contempt, unknown, not a face.
MOSTLY_SAD = (2, 0, 0, 6, 1, 1, 0, 0, 0, 0)
BALLOTS = {
    "sad": MOSTLY_SAD,
    "neutral": (5, 0, 0, 5, 0, 0, 0, 0, 0, 0),
    "fear": (0, 0, 0, 0, 0, 0, 4, 0, 4, 2),
    "contempt": (2, 0, 0, 0, 2, 0, 0, 6, 0, 0),
    "unknown": (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    "not_a_face": (0, 0, 0, 0, 0, 0, 0, 0, 0, 10),
}


def test_the_most_voted_column_is_the_label() -> None:
    verdicts = ferplus.judge(
        ferplus.Ballots(np.array(list(BALLOTS.values()), np.uint8), ["train"] * len(BALLOTS))
    )
    assert verdicts.labels == list(BALLOTS)


def test_single_votes_are_noise_and_shares_follow_the_class_order() -> None:
    verdicts = ferplus.judge(ferplus.Ballots(np.array([MOSTLY_SAD], np.uint8), ["train"]))
    assert verdicts.shares.dtype == np.float32
    assert dict(zip(EMOTIONS, verdicts.shares[0].tolist(), strict=True)) == {
        "angry": 0, "disgust": 0, "fear": 0, "happy": 0, "surprise": 0, "sad": 0.75,
        "neutral": 0.25,
    }  # fmt: skip


def test_a_majority_is_more_than_half_of_what_is_not_noise() -> None:
    bare = (0, 5, 0, 3, 2, 0, 0, 0, 0, 0)
    cast = np.array([*BALLOTS.values(), bare, (1, *bare[1:4], 1, *bare[5:])], np.uint8)

    said = ferplus.majority(ferplus.Ballots(cast, ["test"] * len(cast)))

    # Five of ten votes are no majority; of eight they are.
    assert said == ["sad", None, None, "contempt", None, None, None, "happy"]


def faces_and_votes() -> tuple[list[Face], list[Sequence[int]]]:
    usages = ["Training"] * 4 + ["PublicTest", "PrivateTest"]
    faces = [Face(seed, 3, usage) for seed, usage in enumerate(usages)]
    return faces, list(BALLOTS.values())


@pytest.mark.parametrize("layout", ["csv", "images", "zip of the csv", "zip of images"])
def test_votes_replace_labels_in_every_layout_that_keeps_the_rows(
    layout: str, tmp_path: Path
) -> None:
    faces, votes = faces_and_votes()
    content = tmp_path / "content"
    content.mkdir()
    if layout.endswith("csv"):
        write_csv(content / "fer2013.csv", faces)
    else:
        write_images(content, faces)
    write_votes(content, faces, votes)
    loaded = load(zipped(content) if layout.startswith("zip") else content, labels="ferplus")
    assert left_out(loaded) == {"contempt": 1, "unknown": 1, "not_a_face": 1}
    assert list(loaded.faces["label"]) == ["sad", "neutral", "fear"]
    assert list(loaded.faces["id"]) == [table.face_id(face.pixels) for face in faces[:3]]
    assert np.allclose(np.stack(loaded.faces["votes"].to_list()).sum(axis=1), 1)
    table.write(tmp_path / "faces.parquet", loaded.faces)


def test_labels_of_fer2013_can_stand_beside_the_votes(tmp_path: Path) -> None:
    faces, votes = faces_and_votes()
    write_csv(tmp_path / "fer2013.csv", faces)
    write_votes(tmp_path, faces, votes)
    loaded = load(tmp_path, labels="both")
    assert list(loaded.faces["label"]) == ["happy"] * len(faces)
    sums = [None if one is None else float(one.sum()) for one in loaded.faces["votes"]]
    assert sums[:4] == [1, 1, 1, 1]
    assert sums[4:] == [None, None]  # single votes, and no face


def test_validation_can_be_taken_from_training_with_near_copies_together(tmp_path: Path) -> None:
    twins = [Face(seed, darker=darker) for seed in range(20) for darker in (0, 9)]
    path = write_csv(tmp_path / "fer2013.csv", [*twins, Face(50, 3, "PublicTest")])
    loaded = fer2013.load(path, labels="fer2013", keep_copies=False, validation_share=0.3, seed=1)
    split = list(loaded.faces["split"])
    assert Counter(split) == {"train": 28, "validation": 12, "test": 1}
    assert split[0:40:2] == split[1:40:2]


def test_votes_of_another_order_are_refused(tmp_path: Path) -> None:
    faces, votes = faces_and_votes()
    write_csv(tmp_path / "fer2013.csv", faces)
    write_votes(tmp_path, [*faces[:3], *faces[:2:-1]], votes)
    with pytest.raises(DataError, match=r"fer2013new\.csv, data row 4: .*test.*train"):
        load(tmp_path, labels="ferplus")


def test_too_few_votes_are_refused(tmp_path: Path) -> None:
    faces, votes = faces_and_votes()
    write_csv(tmp_path / "fer2013.csv", faces)
    write_votes(tmp_path, faces[:-1], votes[:-1])
    with pytest.raises(DataError, match=r"a row of votes for each face"):
        load(tmp_path, labels="ferplus")


@pytest.mark.parametrize("given", [True, False])
def test_votes_can_be_taken_where_they_are_there(given: bool, tmp_path: Path) -> None:
    faces, votes = faces_and_votes()
    write_csv(tmp_path / "fer2013.csv", faces)
    if given:
        write_votes(tmp_path, faces, votes)

    found = fer2013_layouts.read(tmp_path, votes=None)

    assert (found.ballots is not None) is given


def test_absent_votes_are_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "fer2013.csv", [Face(0)])
    with pytest.raises(DataError, match=r"fer2013new\.csv.*found none"):
        load(tmp_path, labels="ferplus")


@pytest.mark.parametrize(
    "line",
    [
        "Training,x.png,1,2",
        "Train" + ",0" * 11,
        "Training,x" + ",-1" * 10,
        "Training,x" + ",256" * 10,
    ],
)
def test_a_bad_row_of_votes_is_named(line: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "fer2013.csv", [Face(0), Face(1)])
    good = f"Training,x{',1' * 10}\n"
    (tmp_path / "fer2013new.csv").write_text(VOTES_HEADER + good + line)
    with pytest.raises(DataError, match=r"fer2013new\.csv, data row 2: expected"):
        load(tmp_path, labels="ferplus")


def test_votes_on_images_without_row_numbers_are_refused(tmp_path: Path) -> None:
    faces, votes = faces_and_votes()
    write_images(tmp_path, faces)
    write_votes(tmp_path, faces, votes)
    (tmp_path / "train/happy/Training_1.png").rename(tmp_path / "train/happy/Training_104.png")
    with pytest.raises(DataError, match="row numbers in their names"):
        load(tmp_path, labels="ferplus")


# -- bad files -------------------------------------------------------------------------------

BLACK = " ".join(["0"] * 2304)
BAD_ROWS = {
    "cut in the pixels": ("3,0 0 0", "3 columns, received 2.*cut short"),
    "cut in the Usage": (f"3,{BLACK},Trai", "Usage.*'Trai'"),
    "unknown Usage": (f"3,{BLACK},Holdout", "Usage.*'Holdout'"),
    "emotion 7": (f"7,{BLACK},Training", "emotion from 0 to 6.*'7'"),
    "no emotion": (f",{BLACK},Training", "emotion from 0 to 6.*''"),
    "a pixel too few": (f"3,{BLACK[:-2]},Training", "2304 pixels, received 2303"),
    "a pixel too many": (f"3,{BLACK} 0,Training", "2304 pixels, received 2305"),
    "no pixels": ("3,,Training", "2304 pixels, received 0"),
    "over 255": (f"3,{BLACK[:-1]}256,Training", "pixel 2304: .*'256'"),
    "over 299": (f"3,300{BLACK[1:]},Training", "pixel 1: .*'300'"),
    "four digits": (f"3,0 1000{BLACK[3:]},Training", "pixel 2: .*'1000'"),
    "a letter": (f"3,x{BLACK[1:]},Training", "pixel 1: .*'x'"),
    "a fraction": (f"3,1.0{BLACK[1:]},Training", r"pixel 1: .*'1\.0'"),
    "below 0": (f"3,-1{BLACK[1:]},Training", "pixel 1: .*'-1'"),
    "an extra column": (f"3,{BLACK},Training,0", "3 columns, received 4"),
    "no line ends": (f"3,{BLACK * 30}", "rows of at most"),
}


@pytest.mark.parametrize("fault", BAD_ROWS)
def test_a_bad_row_is_named(fault: str, tmp_path: Path) -> None:
    line, expected = BAD_ROWS[fault]
    path = write_csv(tmp_path / "fer2013.csv", [Face(0), Face(1)])
    path.write_text(path.read_text() + line)
    row = "" if fault == "no line ends" else ", data row 3"
    with pytest.raises(DataError, match=rf"fer2013\.csv{row}: .*{expected}"):
        load(path)


@pytest.mark.parametrize("first", ["0", "10"])  # The row ends at an even or an odd byte.
def test_a_pixel_that_moved_to_the_next_row_is_noticed(first: str) -> None:
    rows = f"3,{first}{BLACK[1:-2]},Training\n3,{BLACK} 0,Training\n"
    with pytest.raises(DataError, match="data row 1: expected 2304 pixels, received 2303"):
        fer2013_csv.read(io.BytesIO((HEADER + rows).encode()), "faces")


@pytest.mark.parametrize("content", ["", HEADER, "emotion,pixels\n", "PK nonsense"])
def test_a_file_without_columns_or_rows_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=r"fer2013\.csv: expected"):
        load(path)


def test_a_place_without_fer2013_is_refused(tmp_path: Path) -> None:
    for nothing in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match=r"Expected fer2013\.csv or .*found none"):
            load(nothing)


def spoil_images(folder: Path, name: str, content: bytes) -> Path:
    write_images(folder, [Face(0), Face(1, 0, "PublicTest")])
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("test/angry/a.png", b"", "received no picture"),
        ("test/angry/a.png", b"no png", "received no picture"),
        ("test/angry/a.png", cv2.imencode(".png", np.zeros((9, 7)))[1].tobytes(), "7 x 9"),
        ("test/puzzled/a.png", table.encode(Face(0).pixels[None])[0], "an emotion.*'puzzled'"),
    ],
)
def test_a_bad_image_is_named(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name}: expected .*{expected}"):
        load(spoil_images(tmp_path, name, content))


def test_images_of_one_split_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train/ and test/.*none in \{'test'\}"):
        load(write_images(tmp_path, [Face(0)]))


@pytest.mark.parametrize("limit", ["_TABLE_BYTES", "_IMAGE_BYTES", "_ALL_IMAGES_BYTES"])
def test_a_zip_bomb_is_refused(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fer2013_layouts, limit, 1000)
    layout = "zip of the csv" if limit == "_TABLE_BYTES" else "zip of images"
    with pytest.raises(DataError, match="at most 1000 bytes"):
        load(LAYOUTS[layout](tmp_path))


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = LAYOUTS["zip of the csv"](tmp_path)
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(DataError, match="whole zip file"):
        load(path)


# -- parser ----------------------------------------------------------------------------------


def plain_numbers(field: str) -> list[int] | None:
    """Return the 2,304 numbers of a row, or None: what the fast parser has to agree with."""
    words = [word for word in field.split(" ") if word]
    proper = all(word.isdigit() and len(word) <= 3 and int(word) <= 255 for word in words)
    return [int(word) for word in words] if proper and len(words) == 2304 else None


rows_of_numbers = st.lists(st.integers(0, 255), min_size=1, max_size=30).map(
    lambda some: " ".join(map(str, (some * 2304)[:2304]))
)


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(rows_of_numbers, min_size=1, max_size=4))
def test_the_parser_agrees_with_a_plain_one(rows: list[str]) -> None:
    text = HEADER + "".join(f"0,{row},Training\n" for row in rows)
    read = fer2013_csv.read(io.BytesIO(text.encode()), "faces")
    assert read.pixels.reshape(len(rows), -1).tolist() == [plain_numbers(row) for row in rows]


@settings(deadline=None, max_examples=150)
@given(row=rows_of_numbers, place=st.integers(0, 12_000), cut=st.integers(0, 4),
       put=st.text("0125 9x-.", max_size=4))  # fmt: skip
def test_the_parser_refuses_what_a_plain_one_refuses(
    row: str, place: int, cut: int, put: str
) -> None:
    changed = row[:place] + put + row[place + cut :]
    stream = io.BytesIO(f"{HEADER}0,{row},Training\n0,{changed},Training\n".encode())
    expected = plain_numbers(changed)
    if expected is None:
        with pytest.raises(DataError, match="data row 2: "):
            fer2013_csv.read(stream, "faces")
    else:
        assert fer2013_csv.read(stream, "faces").pixels[1].ravel().tolist() == expected


def test_rows_may_lie_across_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fer2013_csv, "_BLOCK_BYTES", 1000)
    with make_csv(tmp_path).open("rb") as stream:
        read = fer2013_csv.read(stream, "faces")
    assert np.array_equal(read.pixels, [face.pixels for face in FACES_MADE])


def test_votes_of_thousands_of_digits_are_refused(tmp_path: Path) -> None:
    columns = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    header = f"Usage,Image name,{columns}\n"
    for row in (f"Training,x,{'9' * 5000},0,0,0,0,0,0,0,0,0", '"' + "x" * 200_000):
        with pytest.raises(DataError):
            ferplus.read(io.BytesIO((header + row).encode()), "votes")


def test_a_zip_that_breaks_inside_is_refused(tmp_path: Path) -> None:
    for kind in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        given = tmp_path / "given.zip"
        with zipfile.ZipFile(given, "w", kind) as archive:
            archive.writestr("fer2013.csv", "emotion,pixels,Usage\n" * 99)
        whole = bytearray(given.read_bytes())
        whole[50:70] = b"\xff" * 20
        given.write_bytes(whole)
        with pytest.raises(DataError):
            fer2013_layouts.read(given, votes=None)
