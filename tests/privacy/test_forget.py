"""Nothing of a forgotten person is left anywhere, and nothing of the others is lost."""

import hashlib
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fer import audit, params
from fer.data import inbox, quarantine, receipts, table, version
from fer.data.ingest import ingest
from fer.errors import Busy, DataError
from fer.files import locked, sha256
from fer.paths import Paths
from fer.privacy import erase
from fer.privacy.forget import forget, verify
from fer.records import Span


def everybody(paths: Paths) -> set[tuple[str, str]]:
    """Id and subject of every face that is kept."""
    shards = version.captured(paths, version.read(paths.version))
    tables = [shards, quarantine.read(paths.quarantine), inbox.read(paths.inbox).faces]
    return {row for faces in tables for row in zip(faces["id"], faces["subject"], strict=True)}


def test_the_house_is_full_of_her(house) -> None:
    found = {Path(name).relative_to(house.paths.root.parent).parts[:3] for name in house.traces()}

    assert len(house.traces()) > 15
    assert {one[1] for one in found} >= {"data", "reports", ".dvc", "files"}


def test_no_byte_of_a_forgotten_person_is_left(house) -> None:
    receipt = forget("ana", house.paths)

    assert house.traces() == []
    assert receipt.left == ()
    assert set(receipt.faces) == set(house.hers["id"])
    assert verify("ana", house.paths).left == []


def test_the_others_lose_nothing(house) -> None:
    before = {row for row in everybody(house.paths) if row[1] != "ana"}
    base = sha256(house.paths.base)

    forget("ana", house.paths)

    assert everybody(house.paths) == before
    assert {face for face, _ in before} == set(house.others["id"])
    assert sha256(house.paths.base) == base
    labels = version.captured(house.paths, version.read(house.paths.version)).set_index("id")
    assert labels["label"][house.others["id"].iloc[0]] == "fear"


def test_a_data_version_without_them_is_cut(house) -> None:
    before = version.read(house.paths.version)
    forget("ana", house.paths)
    after = version.read(house.paths.version)

    assert after.number == before.number + 1
    assert [one.version for one in after.captures] == [one.version for one in before.captures]
    assert sum(one.rows for one in before.captures) - sum(one.rows for one in after.captures) == 4
    assert not {said.face for said in after.decisions} & set(house.hers["id"])
    assert after.parent.data_version == 0
    pointers = {file.name.removesuffix(".dvc") for file in house.paths.captures.glob("*.dvc")}
    assert pointers == {one.file for one in after.captures}


def test_drawings_and_weights_made_of_them_are_gone_and_others_stay(house) -> None:
    here = {name: md5(house.paths.report(name)) for name in ("mistakes.png", "confusion.png")}
    weights = md5(house.paths.candidate_weights)

    forget("ana", house.paths)

    kept = {one.name: one.objects() for one in stores(house)}
    for objects in kept.values():
        assert here["mistakes.png"] not in objects
        assert weights not in objects
        assert here["confusion.png"] in objects
    assert not house.paths.report("mistakes.png").exists()
    assert not house.paths.candidate_weights.exists()
    assert not house.paths.candidate.exists()


def test_weights_and_drawings_of_unknown_making_are_gone_too(house) -> None:
    forget("ana", house.paths)

    texts = [file.read_bytes() for file in house.away.rglob("*") if file.is_file()]
    assert not [one for one in texts if b"another machine" in one]
    drawings = [one for one in texts if one.startswith(b"\x89PNG")]
    assert drawings == [house.paths.report("confusion.png").read_bytes()]


def test_the_receipt_names_nobody_and_knows_whom_it_is_about(house) -> None:
    receipt = forget("ana", house.paths)
    text = receipts.path_of(house.paths, receipt).read_text()

    assert '"ana"' not in text
    assert receipt.is_about("ana")
    assert not receipt.is_about("bob")
    assert receipt.seen == receipt.learnt == Span(1, 3)
    assert (receipt.data_version, receipt.stores) == (4, ("cache", "away"))


def test_the_audit_log_stays_says_what_was_erased_and_names_nobody(house) -> None:
    for face in house.hers["id"]:
        audit.record(house.paths, "capture", face=face)

    receipt = forget("ana", house.paths)

    *captured, erased = audit.read(house.paths).entries
    assert [one["face"] for one in captured] == list(house.hers["id"])
    assert (erased["kind"], erased["receipt"], erased["faces"]) == (
        "erasure", receipt.name, len(receipt.faces),
    )  # fmt: skip
    assert not [file for file in house.paths.audit.iterdir() if b"ana" in file.read_bytes()]
    assert verify("ana", house.paths).left == []


def test_dvc_misses_nothing_afterwards(house) -> None:
    forget("ana", house.paths)

    done = subprocess.run(
        [sys.executable, "-m", "dvc", "push"],
        cwd=house.paths.root, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_who_only_waits_costs_no_version_and_no_model(house, faces) -> None:
    fay = faces(1, first=60, subject="fay", session="fay@now")
    inbox.put(house.paths.inbox, fay)
    before = version.read(house.paths.version)

    receipt = forget("fay", house.paths)

    assert version.read(house.paths.version) == before
    assert (receipt.seen, receipt.learnt) == (None, None)
    assert house.paths.candidate.exists()
    assert house.paths.report("mistakes.png").exists()


def test_held_out_faces_taught_no_model(house) -> None:
    paths = house.paths
    captured = version.captured(paths, version.read(paths.version))
    held_out = captured[captured["split"] == "validation"]["subject"].iloc[0]
    assert held_out != "ana"

    receipt = forget(held_out, paths)

    assert receipt.seen is not None
    assert receipt.learnt is None
    assert paths.candidate.exists()
    assert not paths.report("mistakes.png").exists()


def test_erased_faces_do_not_come_back_from_a_copy(house) -> None:
    forget("ana", house.paths)
    inbox.put(house.paths.inbox, house.hers)
    inbox.put_decision(house.paths.inbox, house_decision(house))

    ingest(params.load(house.paths.params).ingest, house.paths, lambda _, pinned: pinned)

    assert house.traces() == []


def house_decision(house) -> Any:
    from fer.records import Decision

    return Decision(house.hers["id"].iloc[0], "accept", "happy")


def test_a_copy_that_the_product_did_not_make_is_named_and_left(house) -> None:
    stray = house.paths.root / "backup.zip"
    shutil.make_archive(str(stray.with_suffix("")), "zip", house.paths.captures)

    receipt = forget("ana", house.paths)

    assert receipt.left == ("backup.zip",)
    assert verify("ana", house.paths).left == ["backup.zip"]
    stray.unlink()
    assert verify("ana", house.paths).left == []


def test_what_cannot_be_searched_is_named_until_it_is_gone(house) -> None:
    paths = house.paths
    frame = paths.screenshots / "20261121T100000.png"
    frame.parent.mkdir()
    shutil.copy(paths.report("confusion.png"), frame)
    junk = paths.quarantine / "holiday.jpg.unreadable"
    junk.write_bytes(b"jpeg")
    named = [
        "data/quarantine/holiday.jpg.unreadable (no reader takes it: look yourself)",
        "reports/screenshots (whole frames, cannot be searched: look yourself)",
    ]

    assert list(forget("ana", paths).left) == named
    assert verify("ana", paths).left == named
    assert frame.is_file()
    frame.unlink()
    junk.unlink()
    assert verify("ana", paths).left == []


def test_what_a_pull_brings_back_is_seen(house) -> None:
    shard = version.read(house.paths.version).captures[0].file
    old = (house.paths.captures / shard).read_bytes()
    forget("ana", house.paths)
    back = house.away / "files" / "md5" / "ab" / ("c" * 30)
    back.parent.mkdir(exist_ok=True)
    back.write_bytes(old)

    assert verify("ana", house.paths).left == ["away:ab" + "c" * 30]


def test_nobody_of_that_name(house) -> None:
    with pytest.raises(DataError, match=r"'zoe', found none\. Look at the spelling"):
        forget("zoe", house.paths)
    assert not house.paths.erasure.exists()
    assert len(house.traces()) > 15


def test_a_file_may_have_a_colon_in_its_name(house) -> None:
    drawing = house.paths.root / "screenshot 12:30:05.png"
    shutil.copy(house.paths.report("confusion.png"), drawing)
    drawing.write_bytes(drawing.read_bytes() + b"of another moment")
    (house.paths.quarantine / "12:30.png").write_bytes(house.hers["image"].iloc[0])

    receipt = forget("ana", house.paths)

    assert receipt.left == ()
    assert house.traces() == []
    assert drawing.exists()


def test_a_second_time_says_when_it_was(house) -> None:
    forget("ana", house.paths)
    with pytest.raises(DataError, match="They were forgotten on 20"):
        forget("ana", house.paths)


def test_a_missing_shard_stops_it_before_it_changes_anything(house) -> None:
    shard = house.paths.captures / version.read(house.paths.version).captures[0].file
    shard.unlink()
    before = house.traces()

    with pytest.raises(DataError, match="dvc pull"):
        forget("ana", house.paths)
    assert house.traces() == before


def test_a_remote_that_is_away_stops_it(house) -> None:
    with (house.paths.root / ".dvc" / "config").open("a") as config:
        config.write("['remote \"cloud\"']\n    url = ssh://nobody.invalid/x\n")

    with pytest.raises(DataError, match="the DVC remote cloud"):
        forget("ana", house.paths)


@pytest.mark.parametrize("step", ["update", "ingest", "train", "promote"])
def test_no_erasure_while_a_step_runs(house, step: str) -> None:
    with locked(house.paths.lock(step)), pytest.raises(Busy, match=f"alone at `{step}`"):
        forget("ana", house.paths)


def test_of_two_at_once_one_is_refused_and_says_who_is_at_it(house, monkeypatch) -> None:
    inside, go_on = threading.Event(), threading.Event()
    empty = erase._empty_inbox

    def pause(*arguments: Any) -> None:
        inside.set()
        assert go_on.wait(60)
        empty(*arguments)

    monkeypatch.setattr(erase, "_empty_inbox", pause)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(forget, "ana", house.paths)
        assert inside.wait(60)
        with pytest.raises(Busy, match=r"process \d+ is at it"):
            forget("bob", house.paths)
        go_on.set()
        first.result(60)
    assert house.traces() == []


def state(paths: Paths) -> dict[str, object]:
    """All that must not depend on where an erasure was killed."""
    (receipt,) = receipts.listed(paths)
    current = version.read(paths.version)
    return {
        "version": current,
        "everybody": everybody(paths),
        "receipt": (receipt.faces, receipt.seen, receipt.learnt, receipt.objects,
                    # A kill leaves temporary files, and they are removed too.
                    {k: v for k, v in receipt.removed.items() if not Path(k).name.startswith(".")},
                    receipt.left, receipt.data_version),
        "files": sorted(str(file.relative_to(paths.root)) for file in paths.root.rglob("*")
                        if file.is_file() and not {"tmp", "receipts"} & set(file.parts)),
    }  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_and_run_again_it_ends_in_the_same_state(
    house, when: str, victims_of
) -> None:
    victims = victims_of(house.paths, "forget")
    undisturbed, status = victims[0].killed_at(0)
    assert status == 0
    expected = state(undisturbed)

    def kill_on(victim: Any, call: int) -> int:
        kills = 0
        while True:
            checkout, status = victim.killed_at(call + 6 * kills, when)
            if status == 0:
                return kills
            assert status == 9
            assert {row for row in everybody(checkout) if row[1] != "ana"} == {
                row for row in expected["everybody"] if row[1] != "ana"
            }
            assert victim.run(checkout) == 0
            assert state(checkout) == expected, f"killed at call {call + 6 * kills}"
            assert house.at(checkout.root).traces() == []
            shutil.rmtree(checkout.root.parent)
            kills += 1

    with ThreadPoolExecutor(2) as pool:
        kills = sum(pool.map(kill_on, victims, (1, 4)))
    assert kills > 15


def test_an_erasure_that_was_cut_short_is_finished_before_another(house, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(erase, "_cut", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget("ana", house.paths)
    with pytest.raises(DataError, match="cut short"):
        verify("ana", house.paths)

    forget("bob", house.paths)

    assert house.traces() == []
    assert [one.is_about("ana") for one in receipts.listed(house.paths)] == [True, False]


def md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def stores(house) -> list[Any]:
    from fer.privacy import places

    with places.stores(house.paths) as found:
        return found


def test_a_table_with_wrong_ids_is_searched_by_its_pixels(house) -> None:
    lying = house.hers.tail(1).assign(id="0" * 64, subject=None)
    both = pd.concat([lying, house.others.head(1).assign(id="1" * 64)])
    inbox.put(house.paths.inbox, both)

    forget("ana", house.paths)

    assert house.traces() == []
    kept = table.decode(inbox.read(house.paths.inbox).faces["image"])
    assert table.face_id(table.decode(house.others["image"].head(1))[0]) in {
        table.face_id(one) for one in kept
    }
