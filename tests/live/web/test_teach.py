"""A capture lands in the inbox as it was meant, and can be undone."""

import errno
import os
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import cv2
import httpx
import numpy as np
import pytest

from fer import files
from fer.data import inbox, table
from fer.faces import camera
from fer.faces.align import canonical
from fer.faces.detect import Box
from fer.files import locked
from fer.live.capture import CONSENT_VERSION
from fer.records import now
from tests.conftest import forgotten
from tests.live.web.conftest import Site


def _agree(site: Site, **changes: str) -> httpx.Response:
    told = {"subject": "p1", "domain": "desk", "consent": CONSENT_VERSION, **changes}
    return site.client.post("/api/sittings", json=told)


def _box(site: Site, shown: SimpleNamespace) -> dict[str, int]:
    x, y, width, height = site.client.post("/api/predict", content=shown.jpeg).json()["faces"][0][
        "box"
    ]
    return {"x": x, "y": y, "width": width, "height": height}


def _capture(site: Site, shown: SimpleNamespace, **changes: Any) -> httpx.Response:
    sitting = _agree(site).json()["sitting"]
    told = {"sitting": sitting, "label": "fear", **_box(site, shown), **changes}
    return site.client.post("/api/captures", params=told, content=shown.jpeg)


def test_a_capture_lands_with_its_pixels_label_and_consent(
    site: Site, shown: SimpleNamespace
) -> None:
    assert _capture(site, shown).status_code == 201
    (row,) = inbox.read(site.service.paths.inbox).faces.to_dict("records")
    frame = camera.decode_picture(shown.jpeg)
    face = canonical(frame, site.service.detector.detect(frame)[0].box)
    np.testing.assert_array_equal(table.decode([row["image"]])[0], face)
    assert row["id"] == table.face_id(face)
    assert (row["label"], row["subject"], row["domain"]) == ("fear", "p1", "desk")
    assert (row["source"], row["label_source"]) == ("webcam", "human")
    assert row["consent"]["text"] == CONSENT_VERSION
    assert row["consent"]["given_at"] <= row["captured_at"] < row["consent"]["expires_at"]


def test_a_label_that_was_given_without_an_answer_in_view_says_so(
    site: Site, shown: SimpleNamespace
) -> None:
    for blind in (False, True):
        assert _capture(site, shown, blind=blind).status_code == 201
    said = inbox.read(site.service.paths.inbox).faces["label_source"]
    assert list(said) == ["human", "blind"]


def test_of_several_faces_the_chosen_one_is_kept(site: Site, shown: SimpleNamespace) -> None:
    paler = 255 - (255 - shown.image) // 2
    two = np.hstack([shown.image, paler])
    png = cv2.imencode(".png", two)[1].tobytes()
    faces = site.client.post("/api/predict", content=png).json()["faces"]
    assert len(faces) == 2
    for chosen in faces:
        x, y, width, height = chosen["box"]
        box = {"x": x, "y": y, "width": width, "height": height}
        assert _capture(site, SimpleNamespace(jpeg=png), **box).status_code == 201
    kept = table.decode(inbox.read(site.service.paths.inbox).faces["image"])
    expected = [canonical(two, Box(*one["box"])) for one in faces]
    np.testing.assert_array_equal(kept, expected)


def test_nothing_is_kept_before_someone_agreed(site: Site, shown: SimpleNamespace) -> None:
    assert _capture(site, shown, sitting="made up").status_code == 403
    assert _agree(site, consent="0").status_code == 403
    assert not site.service.paths.inbox.exists()


def test_a_sitting_ends_when_its_person_is_forgotten(site: Site, shown: SimpleNamespace) -> None:
    sitting = _agree(site).json()["sitting"]
    assert _capture(site, shown, sitting=sitting).status_code == 201
    forgotten(site.service.paths, "p1", now() + timedelta(minutes=1))
    answer = _capture(site, shown, sitting=sitting)
    assert answer.status_code == 422
    # By that word the page knows that it has to ask again.
    assert "sitting" in answer.json()["detail"]
    assert inbox.count(site.service.paths.inbox) == 1


@pytest.mark.parametrize(
    "changes", [{"label": "bored"}, {"width": 0}, {"x": -1}, {"x": 90_000}, {"label": "../x"}]
)
def test_a_capture_that_makes_no_sense_is_refused(
    site: Site, shown: SimpleNamespace, changes: dict[str, Any]
) -> None:
    assert _capture(site, shown, **changes).status_code == 422
    assert not site.service.paths.inbox.exists()


@pytest.mark.parametrize("subject", ["", "../up", "a/b", "x" * 41, "a\nb", "p@q"])
def test_names_that_could_do_harm_are_refused(site: Site, subject: str) -> None:
    assert _agree(site, subject=subject).status_code == 422


def test_a_frame_without_a_face_is_explained(site: Site, shown: SimpleNamespace) -> None:
    empty = SimpleNamespace(
        jpeg=cv2.imencode(".jpg", np.zeros((480, 640, 3), np.uint8))[1].tobytes()
    )
    told = {"sitting": _agree(site).json()["sitting"], "label": "sad", **_box(site, shown)}
    answer = site.client.post("/api/captures", params=told, content=empty.jpeg)
    assert answer.status_code == 422
    assert "found none" in answer.json()["detail"]


def test_the_last_capture_can_be_undone_once(site: Site, shown: SimpleNamespace) -> None:
    name = _capture(site, shown).json()["capture"]
    assert site.client.delete(f"/api/captures/{name}").json() == {"undone": "removed"}
    assert not inbox.read(site.service.paths.inbox).files
    assert site.client.delete(f"/api/captures/{name}").status_code == 404


def test_undoing_what_ingest_took_leaves_a_decision(site: Site, shown: SimpleNamespace) -> None:
    name = _capture(site, shown).json()["capture"]
    found = inbox.read(site.service.paths.inbox)
    inbox.remove(found.files)
    assert site.client.delete(f"/api/captures/{name}").json() == {"undone": "rejected"}
    (decision,) = inbox.read(site.service.paths.inbox).decisions
    assert (decision.face, decision.verdict) == (found.faces["id"][0], "reject")


def test_undoing_while_ingest_reads_leaves_a_decision(site: Site, shown: SimpleNamespace) -> None:
    name = _capture(site, shown).json()["capture"]
    with locked(site.service.paths.lock("ingest")):
        assert site.client.delete(f"/api/captures/{name}").json() == {"undone": "rejected"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_on_a_full_disk_nothing_is_kept_and_the_answer_says_so(
    site: Site, shown: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patched:
        full = OSError(number, os.strerror(number), "/somewhere/inbox")
        patched.setattr(files.os, "fsync", Mock(side_effect=full))
        answer = _capture(site, shown)
    assert answer.status_code == 507
    assert "disk" in answer.json()["detail"]
    assert "somewhere" not in answer.text
    assert [*site.service.paths.inbox.iterdir()] == []
    assert site.client.get("/api/captures").json()["waiting"]["fear"] == 0
    assert _capture(site, shown).status_code == 201


def test_another_fault_of_the_disk_is_no_matter_of_room(
    site: Site, shown: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = OSError(errno.EIO, "Input/output error", "/somewhere/inbox")
    monkeypatch.setattr(inbox, "put", Mock(side_effect=broken))
    answer = _capture(site, shown)
    assert answer.status_code == 500
    assert "somewhere" not in answer.text


def test_captures_are_counted_by_emotion(site: Site, shown: SimpleNamespace) -> None:
    assert site.client.get("/api/captures").json()["waiting"]["fear"] == 0
    _capture(site, shown)
    told = site.client.get("/api/captures").json()
    assert (told["waiting"]["fear"], told["waiting"]["sad"], told["learnt"]["fear"]) == (1, 0, 0)
    assert 'fer_captures_total{emotion="fear"} 1.0' in site.client.get("/metrics").text
