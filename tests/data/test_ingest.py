"""Nothing captured is lost or counted twice, wherever ingest dies and whoever runs beside it."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fer import params
from fer.data import inbox, quarantine, sorting, table, version
from fer.data.balance import balance
from fer.data.ingest import IngestReport, PinChampion, ingest
from fer.data.validate import RULES
from fer.emotions import EMOTIONS
from fer.errors import Busy, DataError
from fer.files import UNFINISHED, sha256, write_json
from fer.params import IngestParams
from fer.paths import Paths
from fer.records import DataVersion, Decision, Parent, now

Faces = Callable[..., pd.DataFrame]
VictimsOf = Callable[[Paths, str], list[Any]]


@pytest.fixture
def settings(paths: Paths) -> IngestParams:
    return params.load(paths.params).ingest


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without DVC, which takes a second for each file."""

    def track(_: Paths, file: Path) -> None:
        Path(f"{file}.dvc").touch()

    monkeypatch.setattr(version, "track", track)


def no_champion(_: Paths, pinned: Parent | None) -> Parent | None:
    return pinned


def run(paths: Paths, pin_champion: PinChampion = no_champion) -> IngestReport:
    return ingest(params.load(paths.params).ingest, paths, pin_champion)


def captured(paths: Paths) -> pd.DataFrame:
    return version.captured(paths, version.read(paths.version))


def kept_apart(paths: Paths) -> list[str]:
    return sorted(quarantine.read(paths.quarantine)["id"])


def contents(paths: Paths) -> dict[str, tuple[int, bytes]]:
    """Every file of the checkout with its time and bytes, but for locks."""
    return {
        str(file.relative_to(paths.root)): (file.stat().st_mtime_ns, file.read_bytes())
        for file in paths.root.rglob("*")
        if file.is_file() and not {".fer", "tmp", ".site_cache"} & set(file.parts)
    }


# -- the whole way ---------------------------------------------------------------------------


def test_what_is_handed_in_becomes_a_version_that_dvc_holds(paths: Paths, faces: Faces) -> None:
    inbox.put(paths.inbox, faces(6))
    inbox.put(paths.inbox, faces(4, first=6, votes=[[1 / 7] * 7, None, None, None]))
    inbox.put(paths.inbox, faces(1, first=10, label=None))
    (paths.inbox / "holiday.jpg").write_bytes(b"jpeg")

    report = run(paths)

    assert (report.data_version, report.added, report.parent) == (1, 10, None)
    assert report.train + report.validation == 10
    assert list(report.quarantined.values()) == [1]
    (shard,) = version.read(paths.version).captures
    assert (shard.rows, shard.version) == (10, 1)
    assert sha256(paths.captures / shard.file) == shard.sha256
    assert (paths.captures / f"{shard.file}.dvc").is_file()
    assert set(captured(paths)["id"]) == set(faces(10)["id"])
    assert set(captured(paths)["split"]) == {"train", "validation"}
    assert kept_apart(paths) == list(faces(1, first=10)["id"])
    assert (paths.quarantine / "holiday.jpg.unreadable").read_bytes() == b"jpeg"
    assert inbox.read(paths.inbox).files == []

    # A clone that lost the shard gets it back from the cache.
    (paths.captures / shard.file).unlink()
    subprocess.run(
        [sys.executable, "-m", "dvc", "checkout", "--quiet", f"data/captures/{shard.file}.dvc"],
        cwd=paths.root, check=True,
    )  # fmt: skip
    assert len(captured(paths)) == 10


def test_a_second_arrival_adds_a_shard_and_leaves_the_first(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(4))
    run(paths)
    before = version.read(paths.version)
    first = (paths.captures / before.captures[0].file).read_bytes()
    inbox.put(paths.inbox, faces(5))
    report = run(paths)
    after = version.read(paths.version)
    assert (report.data_version, report.added, report.repeats) == (2, 1, 4)
    assert after.captures[:1] == before.captures
    assert (paths.captures / before.captures[0].file).read_bytes() == first
    assert sorted(captured(paths)["id"]) == sorted(faces(5)["id"])


def test_with_nothing_new_no_file_is_touched(paths: Paths, faces: Faces, quick: None) -> None:
    inbox.put(paths.inbox, faces(3))
    run(paths)
    before = contents(paths)
    report = run(paths)
    assert contents(paths) == before
    assert (report.data_version, report.added, report.decisions) == (1, 0, 0)


def test_faces_that_are_known_cut_no_version(paths: Paths, faces: Faces, quick: None) -> None:
    inbox.put(paths.inbox, faces(3))
    run(paths)
    before = contents(paths)
    inbox.put(paths.inbox, faces(3))
    assert run(paths).repeats == 3
    assert contents(paths) == before


def test_the_same_arrivals_make_the_same_bytes(paths: Paths, faces: Faces, quick: None) -> None:
    other = Paths(paths.root.with_name("other"))
    shutil.copytree(paths.root, other.root)
    for checkout in (paths, other):
        inbox.put(checkout.inbox, faces(5))
        run(checkout)
    assert paths.version.read_bytes() == other.version.read_bytes()


# -- the parent ------------------------------------------------------------------------------


def champion(paths: Paths, _: Parent | None) -> Parent:
    for file in (paths.parent_weights, paths.parent):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"weights")
    return Parent(7, 0, sha256(paths.parent_weights), sha256(paths.parent))


def test_the_champion_is_pinned_and_dvc_holds_it(paths: Paths, faces: Faces) -> None:
    inbox.put(paths.inbox, faces(1))
    assert run(paths, champion).parent == 7
    for file in (paths.parent_weights, paths.parent):
        assert Path(f"{file}.dvc").is_file()


def test_without_a_champion_here_the_pinned_one_stays(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(1))
    run(paths, champion)
    inbox.put(paths.inbox, faces(1, first=1))
    assert run(paths, no_champion).parent == 7


def test_with_nothing_new_the_champion_is_not_asked_for(paths: Paths) -> None:
    def fail(*_: object) -> Parent:
        raise AssertionError("Loads MLflow for nothing")

    assert run(paths, fail).data_version == 0


# -- what goes wrong -------------------------------------------------------------------------


def test_an_error_on_the_way_keeps_the_inbox(paths: Paths, faces: Faces) -> None:
    inbox.put(paths.inbox, faces(2))
    before = inbox.read(paths.inbox).files

    def fail(*_: object) -> Parent:
        raise DataError("the registry is broken")

    with pytest.raises(DataError, match="broken"):
        run(paths, fail)
    assert inbox.read(paths.inbox).files == before
    assert version.read(paths.version) == DataVersion()
    assert run(paths).added == 2


def test_a_refusal_of_dvc_keeps_the_inbox(paths: Paths, faces: Faces) -> None:
    inbox.put(paths.inbox, faces(2))
    config = paths.root / ".dvc" / "config"
    good = config.read_text()
    config.write_text("[core")
    with pytest.raises(DataError, match="dvc add"):
        run(paths)
    config.write_text(good)
    assert run(paths).added == 2


def test_locks_of_dvc_that_a_full_disk_cut_short_do_not_stop_it(
    paths: Paths, faces: Faces
) -> None:
    paths.dvc_work.mkdir(parents=True, exist_ok=True)
    (paths.dvc_work / "rwlock").write_text('{"write": {"da', "utf-8")
    inbox.put(paths.inbox, faces(3))

    assert run(paths).added == 3


def test_a_missing_shard_stops_ingest_before_it_changes_anything(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(2))
    run(paths)
    (shard,) = version.read(paths.version).captures
    (paths.captures / shard.file).unlink()
    inbox.put(paths.inbox, faces(1, first=2))
    before = contents(paths)
    with pytest.raises(DataError, match="dvc pull"):
        run(paths)
    assert contents(paths) == before


def test_an_item_of_another_program_is_kept_apart(paths: Paths, faces: Faces, quick: None) -> None:
    paths.inbox.mkdir(parents=True)
    faces(2).assign(id=[1, 2], image="picture").to_parquet(paths.inbox / "theirs.parquet")
    inbox.put(paths.inbox, faces(1))
    assert run(paths).added == 1
    assert (paths.quarantine / "theirs.parquet.unreadable").is_file()
    assert inbox.read(paths.inbox).files == []


# -- beside others ---------------------------------------------------------------------------


def test_of_two_at_once_one_is_refused(paths: Paths, faces: Faces, quick: None) -> None:
    inbox.put(paths.inbox, faces(2))
    inside, go_on = threading.Event(), threading.Event()

    def pause(*_: object) -> None:
        inside.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(1) as other:
        first = other.submit(run, paths, pause)
        assert inside.wait(30)
        with pytest.raises(Busy, match="ingest"):
            run(paths)
        go_on.set()
        assert first.result(30).added == 2


def test_what_arrives_meanwhile_waits_for_the_next_run(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(2))

    def capture(*_: object) -> None:
        inbox.put(paths.inbox, faces(1, first=2))

    assert run(paths, capture).added == 2
    assert inbox.count(paths.inbox) == 1
    assert run(paths).added == 1
    assert sorted(captured(paths)["id"]) == sorted(faces(3)["id"])


# -- what people said ------------------------------------------------------------------------


def say(paths: Paths, face: str, verdict: str, label: str | None = None) -> None:
    inbox.put_decision(paths.inbox, Decision(face, verdict, label))


def test_a_face_that_gets_a_label_enters(paths: Paths, faces: Faces, quick: None) -> None:
    inbox.put(paths.inbox, faces(2, label=[None, "sad"]))
    run(paths)
    face = faces(1)["id"][0]
    say(paths, face, "accept", "fear")
    report = run(paths)
    assert (report.added, report.data_version) == (1, 2)
    assert captured(paths).set_index("id")["label"][face] == "fear"
    assert kept_apart(paths) == []


def test_a_face_that_comes_again_as_it_should_is_no_longer_apart(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(1, label=None))
    run(paths)
    inbox.put(paths.inbox, faces(1, label="fear"))
    assert run(paths).added == 1
    assert kept_apart(paths) == []


@pytest.mark.parametrize("together", [True, False])
def test_a_face_captured_with_consent_and_without_is_kept_once(
    paths: Paths, faces: Faces, quick: None, together: bool
) -> None:
    inbox.put(paths.inbox, faces(1, label="fear"))
    if not together:
        run(paths)
    inbox.put(paths.inbox, faces(1, label="fear", source="webcam", consent=None))
    assert run(paths).repeats == 1
    assert list(captured(paths)["id"]) == list(faces(1)["id"])
    assert kept_apart(paths) == []


@pytest.mark.parametrize("days", [-500, 500])
def test_a_clock_that_was_wrong_changes_nothing_in_the_end(
    paths: Paths, faces: Faces, quick: None, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    moment = now() - timedelta(hours=1)
    agreed = {"text": "1", "purpose": "training", "given_at": moment,
              "expires_at": moment + timedelta(days=365)}  # fmt: skip
    taken = [moment + timedelta(seconds=place) for place in range(8)]
    batch = faces(8, source="webcam", consent=agreed, captured_at=taken)
    inbox.put(paths.inbox, batch)
    with monkeypatch.context() as wrong:
        wrong.setattr(sorting, "now", lambda: now() + timedelta(days=days))
        assert run(paths).added == 0
        assert kept_apart(paths) == sorted(batch["id"])

    run(paths)

    after = version.read(paths.version)
    assert kept_apart(paths) == []
    version.write(paths.version, DataVersion())
    inbox.put(paths.inbox, batch)
    run(paths)
    assert version.read(paths.version) == after


def test_what_the_clock_set_apart_rightly_stays_as_it_was(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(1, captured_at=now() + timedelta(days=500)))
    run(paths)
    before = contents(paths)
    run(paths)
    assert contents(paths) == before


def test_a_rejected_face_leaves_and_does_not_come_back(
    paths: Paths, faces: Faces, quick: None
) -> None:
    batch = faces(3, label=[None, "sad", "happy"])
    inbox.put(paths.inbox, batch)
    run(paths)
    for face in faces(2)["id"]:
        say(paths, face, "reject")
    run(paths)
    for _ in range(2):
        inbox.put(paths.inbox, batch)
        run(paths)
        assert list(captured(paths)["id"]) == list(faces(1, first=2)["id"])
        assert kept_apart(paths) == []


def test_a_face_that_stays_wrong_stays_apart(paths: Paths, faces: Faces, quick: None) -> None:
    inbox.put(paths.inbox, faces(2, label=[None, "sad"]))
    run(paths)
    say(paths, faces(1)["id"][0], "accept")  # still has no label
    run(paths)
    assert kept_apart(paths) == list(faces(1)["id"])


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        (["accept", "reject"], []),
        (["reject", "accept"], ["fear"]),
        (["accept", "reject", "accept"], ["fear"]),
        (["reject", "accept", "reject"], []),
    ],
)
@pytest.mark.parametrize("batches", ["one run", "a run each"])
def test_of_what_a_person_said_the_last_holds(
    paths: Paths, faces: Faces, quick: None, said: list[str], labels: list[str], batches: str
) -> None:
    inbox.put(paths.inbox, faces(1, label="happy"))
    run(paths)
    for verdict in said:
        say(paths, faces(1)["id"][0], verdict, "fear" if verdict == "accept" else None)
        if batches == "a run each":
            run(paths)
    run(paths)
    assert list(captured(paths)["label"]) == labels


def test_saying_the_same_again_changes_nothing(paths: Paths, faces: Faces, quick: None) -> None:
    inbox.put(paths.inbox, faces(2))
    run(paths)
    say(paths, faces(1)["id"][0], "reject")
    assert run(paths).decisions == 1
    before = contents(paths)
    say(paths, faces(1)["id"][0], "reject")
    assert run(paths).decisions == 0
    assert contents(paths) == before


def test_a_conflict_of_labels_ends_when_a_person_decides(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(1, label="happy"))
    run(paths)
    inbox.put(paths.inbox, faces(1, label="sad"))
    run(paths)
    assert kept_apart(paths) == list(faces(1)["id"])
    say(paths, faces(1)["id"][0], "accept", "sad")
    run(paths)
    assert list(captured(paths)["label"]) == ["sad"]
    assert kept_apart(paths) == []
    # From now on this is its label: the same picture as sad is no conflict, as happy it is.
    inbox.put(paths.inbox, faces(1, label="sad"))
    assert run(paths).repeats == 1
    inbox.put(paths.inbox, faces(1, label="happy"))
    run(paths)
    assert kept_apart(paths) == list(faces(1)["id"])


# -- who is held back ------------------------------------------------------------------------


def test_who_is_held_back_enters_once_a_person_says_so(
    paths: Paths, faces: Faces, quick: None
) -> None:
    settings = params.load(paths.params).ingest

    def hold_back(asked: pd.DataFrame) -> pd.Series:
        return asked["subject"].isin(["ana"]).map({True: "guard: why", False: ""})

    inbox.put(paths.inbox, faces(6, subject=["ana", "ana", *"abcd"]))
    report = ingest(settings, paths, no_champion, hold_back)
    assert (report.added, report.quarantined) == (4, {"guard: why": 2})
    say(paths, faces(1)["id"][0], "accept")
    assert ingest(settings, paths, no_champion, hold_back).added == 1
    assert kept_apart(paths) == list(faces(1, first=1)["id"])


# -- what a model labelled -------------------------------------------------------------------


def trusting(paths: Paths) -> IngestReport:
    settings = params.load(paths.params).ingest.model_copy(update={"accept_model_labels": True})
    return ingest(settings, paths, no_champion)


def judges(paths: Paths) -> dict[str, bytes]:
    """What the gate scores on and what stops training early, of the present data version."""
    seen = {"data_version": 1, "data_version_sha256": sha256(paths.version), "accepted": True}
    write_json(paths.report("validation.json"), seen)
    balance(params.load(paths.params).balance, paths)
    return {one.name: one.read_bytes() for one in (paths.validation, paths.monitor)}


@pytest.mark.parametrize("take_in", [run, trusting])
@pytest.mark.parametrize("when", ["before", "beside", "after"])
def test_a_session_of_wrong_labels_of_the_model_reaches_nothing_that_judges(
    paths: Paths, faces: Faces, quick: None, take_in: Callable[[Paths], IngestReport], when: str
) -> None:
    split = ["train", "train", "validation"] * 20
    table.write(paths.base, faces(60, first=100, domain="base", session=None, split=split))
    table.write(paths.refused, faces(0).assign(rules=""), extra=RULES)
    other = Paths(paths.root.with_name("other"))
    shutil.copytree(paths.root, other.root)
    people = faces(30)
    # Everyone's faces, each under the emotion after the one that it shows, and a stranger's.
    wrong = [EMOTIONS[(place + 1) % 7] for place in range(40)]
    own = faces(40, first=30, label=wrong, label_source="model",
                subject=[*people["subject"], *["stranger"] * 10])  # fmt: skip
    for part in {"before": [own, people], "after": [people, own]}.get(when, []):
        inbox.put(paths.inbox, part)
        take_in(paths)
    if when == "beside":
        inbox.put(paths.inbox, own)
        inbox.put(paths.inbox, people)
        take_in(paths)
    inbox.put(other.inbox, people)
    take_in(other)

    assert judges(paths) == judges(other)

    learnt = table.read(paths.train)
    judging = {*table.read(paths.validation)["subject"], *table.read(paths.monitor)["subject"]}
    by_model = learnt[learnt["label_source"] == "model"]
    assert not judging & set(by_model["subject"])
    assert (len(by_model) > 10) == (take_in is trusting)


def test_a_models_face_that_a_person_accepts_is_that_persons(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(2, label="happy", label_source="model"))
    assert run(paths).added == 0
    say(paths, faces(1)["id"][0], "accept", "sad")
    run(paths)
    assert captured(paths)[["label", "label_source"]].to_numpy().tolist() == [["sad", "human"]]
    assert kept_apart(paths) == list(faces(1, first=1)["id"])


def test_what_a_model_labelled_leaves_the_version_when_its_person_comes_to_judge(
    paths: Paths, faces: Faces, quick: None
) -> None:
    inbox.put(paths.inbox, faces(12, first=12, label_source="model", subject="ana"))
    assert trusting(paths).train == 12
    inbox.put(paths.inbox, faces(12, subject=["ana", *["ben"] * 11]))
    trusting(paths)
    side = captured(paths).set_index("id")["split"]
    assert side[faces(1)["id"][0]] == "validation"
    assert set(side.index) == set(faces(12)["id"])
    assert set(version.read(paths.version).withdrawn) == set(faces(12, first=12)["id"])


# -- killed ----------------------------------------------------------------------------------


@pytest.fixture
def full(paths: Paths, faces: Faces, quick: None) -> Paths:
    """A checkout with a version, and an inbox that makes ingest do all it can."""
    inbox.put(paths.inbox, faces(3, label=["happy", "sad", None]))
    run(paths)
    for pointer in paths.captures.glob("*.dvc"):
        pointer.unlink()  # `quick` made it
    say(paths, faces(1, first=2)["id"][0], "accept", "fear")
    say(paths, faces(1)["id"][0], "reject")
    inbox.put(paths.inbox, faces(3, first=1, label=["sad", "happy", "angry"]))
    inbox.put(paths.inbox, faces(2, first=4, label=[None, "disgust"]))
    (paths.inbox / "holiday.jpg").write_bytes(b"jpeg")
    return paths


@pytest.fixture
def victims(full: Paths, victims_of: VictimsOf) -> list[Any]:
    return victims_of(full, "ingest")


def state(paths: Paths) -> dict[str, object]:
    """All that must not depend on where a run was killed."""
    current = version.read(paths.version)
    faces = pd.concat([table.read(version.check(paths.captures / shard.file, shard.sha256))
                       for shard in current.captures])  # fmt: skip
    apart = quarantine.read(paths.quarantine)
    return {
        "version": current,
        "faces": sorted(zip(faces["id"], faces["label"], faces["split"], strict=True)),
        "apart": sorted(zip(apart["id"], apart["reason"], strict=True)),
        "unreadable": [file.read_bytes() for file in paths.quarantine.glob("*.unreadable")],
        "half-written": [
            one
            for folder in (paths.captures, paths.quarantine)
            for one in folder.glob(".*")
            if UNFINISHED.fullmatch(one.name)
        ],
        "inbox": inbox.read(paths.inbox).files,
        "pinned": [sha256(paths.parent), sha256(paths.parent_weights)],
        "pointers": sorted(file.name for file in paths.root.glob("*/**/*.dvc") if file.is_file()),
    }


def acknowledged(paths: Paths) -> set[str]:
    """Ids of all faces that are somewhere safe."""
    shards = version.captured(paths, DataVersion(captures=version.read(paths.version).captures))
    tables = [shards, quarantine.read(paths.quarantine), inbox.read(paths.inbox).faces]
    return {face for faces in tables for face in faces["id"]}


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_and_run_again_it_ends_in_the_same_state(
    full: Paths, victims: list[Any], when: str
) -> None:
    everything = acknowledged(full)
    undisturbed, status = victims[0].killed_at(0)
    assert status == 0
    expected = state(undisturbed)
    assert expected["inbox"] == []
    assert acknowledged(undisturbed) == everything

    def kill_on(victim: Any, call: int) -> int:
        """Kill at every second call from `call` on; return how often."""
        kills = 0
        while True:
            checkout, status = victim.killed_at(call + 2 * kills, when)
            if status == 0:
                return kills
            assert status == 9
            assert acknowledged(checkout) == everything
            assert victim.run(checkout) == 0
            assert state(checkout) == expected, f"killed at call {call + 2 * kills}"
            shutil.rmtree(checkout.root)
            kills += 1

    with ThreadPoolExecutor(2) as pool:
        kills = sum(pool.map(kill_on, victims, (1, 2)))
    assert kills > 15


def test_faces_that_arrive_after_a_kill_are_taken_too(
    full: Paths, faces: Faces, victims: list[Any]
) -> None:
    later = faces(2, first=20)
    for call in range(2, 20, 6):
        checkout, status = victims[0].killed_at(call)
        assert status == 9
        inbox.put(checkout.inbox, later)
        assert victims[0].run(checkout) == 0
        assert acknowledged(checkout) == acknowledged(full) | set(later["id"])
        ids = list(captured(checkout)["id"])
        assert len(ids) == len(set(ids))
