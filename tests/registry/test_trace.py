"""A face can be followed from the inbox to the models that learnt it; no line names a person."""

from types import SimpleNamespace

import pytest

from fer.data import inbox, quarantine, receipts, version
from fer.errors import DataError
from fer.records import DataVersion, Decision, Span
from fer.registry import trace as module
from fer.registry.trace import trace


@pytest.fixture
def ids(paths, faces, monkeypatch) -> list[str]:
    """One face to learn from, one to judge by; model 7 learnt from data version 2 and later."""
    rows = faces(2, subject="ana", split=["train", "validation"])
    monkeypatch.setattr(version, "track", lambda *_: None)
    shard = version.write_shard(rows, 2, paths)
    said = (Decision(rows["id"][0], "accept", "sad"),)
    version.write(paths.version, DataVersion(3, (shard,), said))

    def learnt_from(_, span: Span) -> list[int]:
        return [7] if span == Span(2, 3) else []

    one = SimpleNamespace(run_id="r1", tags={"candidate_sha256": "c" * 64, "verdict": "promoted"})
    monkeypatch.setattr(module.retire, "learnt_from", learnt_from)
    monkeypatch.setattr(module, "connect", lambda _: None)
    monkeypatch.setattr(module.versions, "get", lambda *_: one)
    return list(rows["id"])


def test_a_face_that_was_learnt_leads_to_model_run_and_verdict(ids, paths) -> None:
    told = trace(ids[0][:8], paths)

    assert told[0].endswith(ids[0])
    assert "version 2, shard 00002-" in told[1]
    assert told[2:] == [
        "data      a person said: accept sad",
        "model     version 7, run r1, candidate cccccccccccc: promoted",
    ]
    assert not any("ana" in line for line in told)


def test_a_face_to_judge_by_is_learnt_by_no_model(ids, paths) -> None:
    assert not any(line.startswith("model") for line in trace(ids[1], paths))


def test_what_waits_was_set_apart_or_erased_is_found(ids, paths, faces) -> None:
    inbox.put(paths.inbox, faces(1, first=5))
    quarantine.put(paths.quarantine, faces(1, first=6).assign(reason="label: none"))
    receipt = receipts.begin("asked", "bob")
    gone = "d" * 64
    write = {**vars(receipt), "faces": (gone,), "ended": "2026-11-21T00:00:00+00:00"}
    receipts.write(receipts.path_of(paths, receipt), receipts.Receipt(**write))

    assert "until the next" in trace(faces(1, first=5)["id"][0], paths)[1]
    assert trace(faces(1, first=6)["id"][0], paths)[1] == "set apart label: none"
    assert "2026-11-21" in trace(gone, paths)[1]


@pytest.mark.parametrize("asked", ["", "abcde", "f" * 64])
def test_too_short_or_unknown_is_refused(ids, paths, asked: str) -> None:
    with pytest.raises(DataError, match="Expected"):
        trace(asked, paths)
