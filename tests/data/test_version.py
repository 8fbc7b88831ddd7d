"""A data version names what may be read, and nothing else is."""

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc.fs import localfs
from dvc.rwlock import rwlock

from fer.data import table, version
from fer.errors import DataError, MissingData
from fer.files import sha256
from fer.paths import Paths
from fer.records import DataVersion, Decision, Parent, Shard

Faces = Callable[..., pd.DataFrame]

PARENT = Parent(3, data_version=1, weights_sha256="ab", model_sha256="cd")


def add(paths: Paths, faces: pd.DataFrame, number: int) -> Shard:
    """Write a shard of data version `number`."""
    file = paths.captures / f"{number:05d}.parquet"
    table.write(file, faces.assign(split="train"))
    return Shard(file.name, sha256(file), len(faces), number)


# -- the file --------------------------------------------------------------------------------


def test_a_version_comes_back(paths: Paths) -> None:
    written = DataVersion(
        2,
        (Shard("a.parquet", "12", 3, 1), Shard("b.parquet", "34", 5, 2)),
        (Decision("ab", "reject"), Decision("cd", "accept", "happy")),
        PARENT,
        ("ef",),
    )
    version.write(paths.version, written)
    assert version.read(paths.version) == written


def test_a_version_of_before_self_learning_is_read(paths: Paths) -> None:
    paths.version.write_text('{"number": 4, "captures": [], "decisions": [], "parent": null}')
    assert version.read(paths.version) == DataVersion(4)


def test_a_missing_version_says_how_to_get_it(paths: Paths) -> None:
    paths.version.unlink()
    with pytest.raises(MissingData, match="git checkout"):
        version.read(paths.version)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"number": 1}', '{"number": 0, "captures": [{"file": 1}]}',
        "[" * 200_000, '{"number": "1", "captures": [], "decisions": [], "parent": null}',
        *('{"number": 1, "decisions": [], "parent": null, "captures": [{"file": "'
          + name + '", "sha256": "00", "rows": 1, "version": 1}]}'
          for name in ("../a.parquet", "/etc/hosts", "..", "", "a/b.parquet", "a\\u0000b")),
    ],
)  # fmt: skip
def test_what_is_no_version_is_refused(paths: Paths, text: str) -> None:
    paths.version.write_text(text)
    with pytest.raises(DataError, match=r"version\.json"):
        version.read(paths.version)


# -- the faces -------------------------------------------------------------------------------


def test_only_what_the_version_names_is_read(paths: Paths, faces: Faces) -> None:
    first = add(paths, faces(2), 1)
    add(paths, faces(2, first=2), 2)
    read = version.captured(paths, DataVersion(1, (first,)))
    assert list(read["id"]) == list(faces(2)["id"])


def test_what_a_person_accepted_counts_as_labelled_by_a_person(paths: Paths, faces: Faces) -> None:
    shard = add(paths, faces(3, label_source=["model", "model", "human"]), 1)
    said = (Decision(faces(1)["id"][0], "accept"),)
    read = version.captured(paths, DataVersion(1, (shard,), said))
    assert list(read["label_source"]) == ["human", "model", "human"]


def test_of_a_picture_that_was_withdrawn_the_persons_row_stays(paths: Paths, faces: Faces) -> None:
    face = faces(1)["id"][0]
    shards = (add(paths, faces(2, label="sad", label_source="model"), 1),
              add(paths, faces(1, label="happy"), 2))  # fmt: skip
    for said in ((), (Decision(face, "accept"),)):
        read = version.captured(paths, DataVersion(2, shards, said, withdrawn=(face,)))
        assert list(read.loc[read["id"] == face, "label"]) == ["happy"]
        assert len(read) == 2


def test_without_captures_there_are_none(paths: Paths) -> None:
    none = version.captured(paths, DataVersion())
    assert len(none) == 0
    assert {"id", "label", "new"} <= set(none.columns)


def test_a_missing_shard_is_refused_with_the_command_to_type(paths: Paths, faces: Faces) -> None:
    shard = add(paths, faces(2), 1)
    (paths.captures / shard.file).unlink()
    with pytest.raises(MissingData, match=r"dvc pull .*00001\.parquet\.dvc"):
        version.captured(paths, DataVersion(1, (shard,)))


def test_a_changed_shard_is_refused_with_the_command_to_type(paths: Paths, faces: Faces) -> None:
    shard = add(paths, faces(2), 1)
    add(paths, faces(3), 1)
    with pytest.raises(MissingData, match=r"dvc checkout .*00001\.parquet\.dvc"):
        version.captured(paths, DataVersion(1, (shard,)))


def test_a_command_that_is_advised_survives_a_blank_in_the_path(
    paths: Paths, faces: Faces
) -> None:
    assert " " in str(paths.root)
    shard = add(paths, faces(2), 1)
    file = paths.captures / shard.file
    file.unlink()
    with pytest.raises(MissingData, match=f"'{file}.dvc'"):
        version.captured(paths, DataVersion(1, (shard,)))


def test_the_advised_command_restores_a_changed_shard(
    paths: Paths, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = add(paths, faces(2), 1)
    file = paths.captures / shard.file
    version.track(paths, file)
    file.write_bytes(b"changed")
    monkeypatch.chdir(paths.root)
    from dvc.cli import main

    assert main(["checkout", "--quiet", "--force", f"{file}.dvc"]) == 0
    assert version.check(file, shard.sha256) == file


def test_faces_after_the_parent_s_data_are_new(paths: Paths, faces: Faces) -> None:
    shards = tuple(add(paths, faces(1, first=number), number) for number in (1, 2))
    read = version.captured(paths, DataVersion(2, shards, parent=PARENT))
    assert list(read["new"]) == [False, True]
    assert version.captured(paths, DataVersion(2, shards))["new"].all()


# -- decisions -------------------------------------------------------------------------------


def decided(paths: Paths, faces: Faces, *said: tuple[str, str | None]) -> list[str]:
    """Return the labels that a face, happy at first, has after what a person said."""
    happy = faces(1, label="happy")
    face = happy["id"][0]
    decisions = tuple(Decision(face, verdict, label) for verdict, label in said)
    read = version.captured(paths, DataVersion(1, (add(paths, happy, 1),), decisions))
    return list(read["label"])


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ([], ["happy"]),
        ([("accept", None)], ["happy"]),
        ([("accept", "sad")], ["sad"]),
        ([("reject", None)], []),
        ([("accept", "sad"), ("accept", "fear")], ["fear"]),
        ([("accept", "sad"), ("reject", None)], []),
        ([("reject", None), ("accept", None)], ["happy"]),
        ([("reject", None), ("accept", "sad")], ["sad"]),
        ([("accept", None), ("reject", None), ("accept", None)], ["happy"]),
    ],
)
def test_of_what_a_person_said_the_last_holds(
    paths: Paths, faces: Faces, said: list[tuple[str, str | None]], labels: list[str]
) -> None:
    assert decided(paths, faces, *said) == labels


def test_a_decision_on_one_face_leaves_the_others(paths: Paths, faces: Faces) -> None:
    shard = add(paths, faces(3), 1)
    rejected = Decision(faces(3)["id"][1], "reject")
    read = version.captured(paths, DataVersion(1, (shard,), (rejected,)))
    assert list(read["id"]) == list(faces(3)["id"][[0, 2]])
    assert list(read.index) == [0, 1]


# -- DVC -------------------------------------------------------------------------------------


def test_a_tracked_file_is_in_the_cache(paths: Paths, faces: Faces) -> None:
    shard = paths.captures / add(paths, faces(2), 1).file
    version.track(paths, shard)
    entry = yaml.safe_load(Path(f"{shard}.dvc").read_text())["outs"][0]
    cached = paths.root / ".dvc/cache/files/md5" / entry["md5"][:2] / entry["md5"][2:]
    assert cached.read_bytes() == shard.read_bytes()


def test_a_tracked_file_is_not_tracked_again(
    paths: Paths, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = paths.captures / add(paths, faces(2), 1).file
    version.track(paths, shard)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("DVC was called again")

    monkeypatch.setattr("subprocess.run", fail)
    version.track(paths, shard)


def test_a_refusal_of_dvc_is_told(paths: Paths, faces: Faces) -> None:
    shard = paths.captures / add(paths, faces(2), 1).file
    (paths.root / ".dvc" / "config").write_text("[core")
    with pytest.raises(DataError, match="dvc add"):
        version.track(paths, shard)


def test_the_cut_waits_for_a_stage_that_reads_the_version(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    waiting, ended = threading.Event(), threading.Event()

    def nap(_: float) -> None:
        waiting.set()
        assert ended.wait(30)

    monkeypatch.setattr("fer.data.version.time.sleep", nap)

    def cut() -> None:
        with version.held_still(paths):
            order.append("cut")

    work = paths.root / ".dvc" / "tmp"
    work.mkdir(parents=True, exist_ok=True)
    ingest = threading.Thread(target=cut)
    # As DVC does around a stage: it reads its dependencies, as seen from its own process.
    with rwlock(str(work), localfs, "dvc repro", [str(paths.version)], [], hardlink=False):
        ingest.start()
        assert waiting.wait(30)
        order.append("stage ended")
    ended.set()
    ingest.join(30)
    assert order == ["stage ended", "cut"]


def test_the_cut_does_not_wait_for_what_reads_other_files(paths: Paths) -> None:
    work = paths.root / ".dvc" / "tmp"
    work.mkdir(parents=True, exist_ok=True)
    stage = rwlock(str(work), localfs, "dvc repro", [str(paths.base)], [], hardlink=False)
    with stage, version.held_still(paths):
        assert (work / "rwlock").is_file()


def test_no_stage_reads_the_version_during_the_cut(paths: Paths) -> None:
    from dvc.lock import LockError

    work = paths.root / ".dvc" / "tmp"
    for file in (paths.version, paths.parent, paths.parent_weights):
        with version.held_still(paths), pytest.raises(LockError):
            rwlock(str(work), localfs, "dvc repro", [str(file)], [], hardlink=False).__enter__()


def test_versions_are_records_that_nothing_changes() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DataVersion().number = 3
