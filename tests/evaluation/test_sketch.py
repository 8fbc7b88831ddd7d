"""A sketch counts many faces and keeps none; what is written is bounded."""

import json
from pathlib import Path

import numpy as np
import pytest

from fer.errors import DataError
from fer.evaluation.sketch import (
    KEPT,
    WINDOW,
    Camera,
    Seen,
    Sketch,
    read,
    rows,
    sketch,
    together,
    write,
)  # fmt: skip


def drawn(count: int = WINDOW, seed: int = 0) -> Sketch:
    rng = np.random.default_rng(seed)
    faces = rng.integers(256, size=(count, 48, 48)).astype(np.uint8)
    return sketch(faces, rng.dirichlet(np.ones(7), count).astype(np.float32))


def alike(one: Sketch, other: Sketch) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def test_every_face_is_counted_once_in_each_measure() -> None:
    # From black to white, from flat to hard edges: beyond the first and the last bin too.
    board = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (24, 24))
    faces = np.stack([np.zeros((48, 48), np.uint8), np.full((48, 48), 255, np.uint8), board])
    sure = np.eye(7, dtype=np.float32)[:3]

    found = sketch(faces, sure)

    assert {int(counts.sum()) for counts in found.values()} == {3}


def test_the_order_of_faces_and_the_way_they_are_put_together_change_nothing() -> None:
    first, second = drawn(20), drawn(30, seed=1)

    assert alike(together([first, second]), together([second, first]))
    assert rows(together([first, second])) == 50


def test_what_is_written_is_read(tmp_path: Path) -> None:
    seen = Seen(3)
    seen.add("kiosk", drawn())
    seen.add("kiosk", drawn(seed=1))

    write(tmp_path / "seen.json", seen)

    found = read(tmp_path / "seen.json")
    assert found is not None
    assert found.version == 3
    assert found.cameras["kiosk"].looks == 2
    pairs = zip(found.cameras["kiosk"].windows, seen.cameras["kiosk"].windows, strict=True)
    assert all(alike(one, other) for one, other in pairs)


def test_fewer_faces_than_a_window_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at least {WINDOW} faces, received {WINDOW - 1}"):
        Seen(1).add("kiosk", drawn(WINDOW - 1))


def test_the_file_stays_small_however_long_and_many_cameras_look(tmp_path: Path) -> None:
    seen, window = Seen(1), drawn()
    for camera in range(40):
        for _ in range(KEPT + 5):
            seen.add(f"camera {camera}", window)

    write(tmp_path / "seen.json", seen)

    assert (tmp_path / "seen.json").stat().st_size < 500_000
    assert "camera 39" in seen.cameras
    assert "camera 0" not in seen.cameras
    # Windows that are gone still count as looks.
    assert seen.cameras["camera 39"].looks == KEPT + 5


def test_counts_in_other_bins_are_not_taken_for_ours(tmp_path: Path) -> None:
    write(tmp_path / "seen.json", Seen(1, {"kiosk": Camera(1, [drawn()])}))
    told = json.loads((tmp_path / "seen.json").read_text())
    told["bins"]["brightness"][0] += 1
    (tmp_path / "seen.json").write_text(json.dumps(told))

    assert read(tmp_path / "seen.json") is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", "null", "\x00"])
def test_a_damaged_file_is_said_to_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "seen.json").write_text(text)

    with pytest.raises(DataError, match=r"Expected counts of faces in .*Delete it"):
        read(tmp_path / "seen.json")


def test_a_file_that_lacks_a_part_is_damaged(tmp_path: Path) -> None:
    write(tmp_path / "seen.json", Seen(1))
    told = json.loads((tmp_path / "seen.json").read_text())
    del told["cameras"]
    (tmp_path / "seen.json").write_text(json.dumps(told))

    with pytest.raises(DataError, match="cameras"):
        read(tmp_path / "seen.json")
