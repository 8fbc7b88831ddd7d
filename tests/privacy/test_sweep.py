"""Faces are kept no longer than was agreed, and what was erased stays out."""

import dataclasses
import os
import shutil
from datetime import timedelta

import pytest

from fer import audit, params
from fer.data import inbox, quarantine, receipts, version
from fer.data.ingest import ingest
from fer.params import RetentionParams
from fer.privacy import erase, sweep
from fer.privacy.forget import forget
from fer.privacy.sweep import SweepReport
from fer.records import now

PARAMS = RetentionParams(captures_days=365, set_apart_days=30, retire_models=False, audit_days=700)
NOTHING = SweepReport(faces=0, set_apart=0, came_back=0, resumed=False, audited=0)


@pytest.fixture
def webcam(house, faces):
    """The house, and in its data version two webcam faces of fay and one of gus."""
    moment = now() - timedelta(days=10)
    given = {"text": "1", "purpose": "training", "given_at": moment - timedelta(hours=1),
             "expires_at": moment + timedelta(days=20)}  # fmt: skip
    longer = {**given, "expires_at": moment + timedelta(days=900)}
    inbox.put(
        house.paths.inbox,
        faces(3, first=70, source="webcam", subject=["fay", "fay", "gus"], session="s",
              captured_at=moment, consent=[given, given, longer]),
    )  # fmt: skip
    ingest(params.load(house.paths.params).ingest, house.paths, lambda _, pinned: pinned)
    return house


def kept(house) -> set[str]:
    faces = version.captured(house.paths, version.read(house.paths.version))
    return set(faces["id"])


def at(days: int, monkeypatch) -> None:
    """Let the sweep believe that so many days have passed."""
    monkeypatch.setattr(sweep, "now", lambda: now() + timedelta(days=days))


def test_with_nothing_due_nothing_changes(webcam) -> None:
    before = kept(webcam), version.read(webcam.paths.version)

    assert sweep.sweep(PARAMS, webcam.paths) == NOTHING
    assert (kept(webcam), version.read(webcam.paths.version)) == before
    assert receipts.listed(webcam.paths) == []


def test_a_face_leaves_when_its_consent_ends(webcam, faces, monkeypatch) -> None:
    before = kept(webcam)
    at(11, monkeypatch)

    report = sweep.sweep(PARAMS, webcam.paths)

    assert report.faces == 2
    assert before - kept(webcam) == set(faces(2, first=70)["id"])
    (receipt,) = receipts.listed(webcam.paths)
    assert set(receipt.faces) == set(faces(2, first=70)["id"])
    assert (receipt.person, receipt.learnt) == (None, None)
    (unsearched,) = receipt.left
    assert unsearched.startswith("data/quarantine/cut.parquet.unreadable")


def test_a_webcam_face_leaves_when_it_was_kept_long_enough(webcam, faces, monkeypatch) -> None:
    before = kept(webcam)
    at(356, monkeypatch)

    assert sweep.sweep(PARAMS, webcam.paths).faces == 3
    assert before - kept(webcam) == set(faces(3, first=70)["id"])


def test_null_keeps_while_consent_holds(webcam, faces, monkeypatch) -> None:
    at(400, monkeypatch)

    sweep.sweep(PARAMS.model_copy(update={"captures_days": None}), webcam.paths)

    assert faces(1, first=72)["id"][0] in kept(webcam)


@pytest.mark.parametrize("retire", [False, True])
def test_models_stay_unless_the_settings_say_otherwise(webcam, monkeypatch, retire: bool) -> None:
    seen = []
    monkeypatch.setattr(
        erase.retire, "retire", lambda *told: seen.append(told) or erase.retire.Retired([], 1)
    )
    at(11, monkeypatch)

    sweep.sweep(PARAMS.model_copy(update={"retire_models": retire}), webcam.paths)

    ((_, span, learnt),) = seen
    assert span is not None
    assert (learnt is not None) <= retire


def test_what_nobody_decided_on_leaves_quarantine(house, monkeypatch) -> None:
    waiting = len(quarantine.read(house.paths.quarantine))
    old = next(iter(house.paths.quarantine.glob("[!.]*.parquet")))
    folder = house.paths.quarantine / "looked at"
    folder.mkdir()
    for one in (old, folder):
        os.utime(one, (0, 0))

    assert sweep.sweep(PARAMS, house.paths).set_apart == 1
    assert folder.is_dir()
    assert len(quarantine.read(house.paths.quarantine)) == waiting - 1


def test_the_audit_log_is_kept_for_its_time_and_knows_what_was_swept(house) -> None:
    audit.record(house.paths, "update")
    (file,) = house.paths.audit.iterdir()
    file = file.rename(house.paths.audit / "2020-01.jsonl")
    assert sweep.sweep(PARAMS, house.paths) == NOTHING
    long_ago = (now() - timedelta(days=PARAMS.audit_days + 1)).timestamp()
    os.utime(file, (long_ago, long_ago))

    assert sweep.sweep(PARAMS, house.paths) == dataclasses.replace(NOTHING, audited=1)

    (swept,) = audit.read(house.paths).entries
    assert (swept["kind"], swept["audited"], swept["faces"]) == ("sweep", 1, 0)


def test_an_erasure_that_was_cut_short_is_finished(house, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(erase, "_remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget("ana", house.paths)

    assert sweep.sweep(PARAMS, house.paths).resumed
    assert house.traces() == []


def test_what_a_pull_brings_back_leaves_again(house) -> None:
    before = house.paths.root.parent / "before"
    shutil.copytree(house.away, before)
    forget("ana", house.paths)
    shutil.copytree(before, house.away, dirs_exist_ok=True)
    assert house.traces() != []

    assert sweep.sweep(PARAMS, house.paths).came_back == 1
    assert house.traces() == []
    assert sweep.sweep(PARAMS, house.paths) == NOTHING


def test_another_checkout_learns_of_it_from_the_receipt(house, tmp_path) -> None:
    clone = house.at(tmp_path / "elsewhere" / "a checkout")
    shutil.copytree(house.paths.root.parent, clone.paths.root.parent)
    forget("ana", house.paths)
    # What git brings: the data version, the receipts, the pointers.
    shutil.copytree(house.paths.receipts, clone.paths.receipts)
    shutil.copy(house.paths.version, clone.paths.version)
    shutil.copytree(house.paths.captures, clone.paths.captures, dirs_exist_ok=True)
    assert clone.traces() != []

    assert sweep.sweep(PARAMS, clone.paths).came_back == 1
    assert version.read(clone.paths.version).captures == version.read(
        house.paths.version).captures  # fmt: skip
    assert clone.traces() == []
