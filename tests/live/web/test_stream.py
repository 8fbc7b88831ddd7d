"""The live session answers frame by frame, and survives what is no frame."""

import json
import struct
import zlib
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.connection import Connection

from fer.data import inbox
from fer.live.capture import CONSENT_VERSION
from fer.live.film import STAYING
from fer.live.web import stream
from fer.live.web.service import MAX_BYTES
from tests.live.web.conftest import Serve, Site


def _ask(live: Connection, frame: bytes) -> dict[str, Any]:
    live.send(frame)
    told: dict[str, Any] = json.loads(live.recv(timeout=10))
    return told


def _png_claiming(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))


def test_a_frame_comes_back_as_numbered_faces(site: Site, shown: SimpleNamespace) -> None:
    with site.live() as live:
        first, second = _ask(live, shown.jpeg), _ask(live, shown.jpeg)
    assert (first["width"], first["height"]) == (640, 480)
    (face,) = first["faces"]
    assert face["emotion"] == "happy"
    assert 0 <= face["score"] <= 5
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert face["track"] == second["faces"][0]["track"] == 1
    assert first["model"]["version"] == 1


@pytest.mark.parametrize(
    "frame",
    [b"", b"junk", _png_claiming(20_000), _png_claiming(4_500)],
    ids=["empty", "junk", "huge", "large"],
)
def test_what_is_no_frame_is_explained_and_the_session_goes_on(
    site: Site, shown: SimpleNamespace, frame: bytes
) -> None:
    with site.live() as live:
        assert "Expected" in _ask(live, frame)["error"]
        assert len(_ask(live, shown.jpeg)["faces"]) == 1


def test_text_ends_the_session(site: Site) -> None:
    with site.live() as live:
        live.send("hello")
        with pytest.raises(ConnectionClosedError, match="1003"):
            live.recv(timeout=10)


def test_a_frame_over_the_limit_ends_that_session_only(site: Site, shown: SimpleNamespace) -> None:
    with site.live() as live, pytest.raises(ConnectionClosedError):
        _ask(live, b"x" * (MAX_BYTES + 1))
    with site.live() as live:
        assert _ask(live, shown.jpeg)["faces"]


def test_a_swap_keeps_the_session(site: Site, shown: SimpleNamespace) -> None:
    with site.live() as live:
        assert _ask(live, shown.jpeg)["model"]["version"] == 1
        site.registry.champion = 2
        site.service.predictor.refresh()
        told = _ask(live, shown.jpeg)
    assert told["model"]["version"] == 2
    assert told["faces"][0]["track"] == 1


def test_who_is_to_label_blind_is_told_where_faces_are_and_no_answer(
    site: Site, shown: SimpleNamespace
) -> None:
    with site.live(blind=True) as live:
        (face,) = _ask(live, shown.jpeg)["faces"]
    assert len(face["box"]) == 4
    assert {face[told] for told in ("emotion", "confidence", "score", "probabilities")} == {None}


def test_a_broken_champion_is_told_while_the_old_one_answers(
    site: Site, shown: SimpleNamespace
) -> None:
    site.registry.champion = 3
    site.service.predictor.refresh()
    with site.live() as live:
        told = _ask(live, shown.jpeg)
    assert told["model"]["version"] == 1
    assert "Version 3" in told["model"]["error"]
    assert told["faces"][0]["emotion"] == "happy"


def _answers(site: Site, frame: bytes) -> bool:
    # The server learns a moment after the client that a session is over.
    with suppress(ConnectionClosedError), site.live() as live:
        return bool(_ask(live, frame)["faces"])
    return False


def test_sessions_are_limited_and_freed(
    site: Site, shown: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_MAX_SESSIONS", 1)
    with site.live() as live:
        _ask(live, shown.jpeg)
        with site.live() as late, pytest.raises(ConnectionClosedError, match="1013"):
            late.recv(timeout=10)
    assert any(_answers(site, shown.jpeg) for _ in range(100))


# -- self-learning ---------------------------------------------------------------------------


def _agreed(site: Site) -> str:
    told = {"subject": "p1", "domain": "desk", "consent": CONSENT_VERSION}
    return str(site.client.post("/api/sittings", json=told).json()["sitting"])


def _kept(site: Site) -> list[tuple[str, str, str]]:
    rows = inbox.read(site.service.paths.inbox).faces
    return [tuple(row) for row in rows[["label", "label_source", "subject"]].to_numpy()]


def test_nothing_is_kept_by_itself_unless_a_person_turned_it_on(
    start: Serve, shown: SimpleNamespace
) -> None:
    site = start(self_learning=True)
    _agreed(site)
    with site.live() as live:
        assert [_ask(live, shown.jpeg)["learning"] for _ in range(5)] == [None] * 5
    assert _kept(site) == []


def test_a_face_that_stays_is_kept_once_as_the_models_word(
    start: Serve, shown: SimpleNamespace
) -> None:
    site = start(self_learning=True)
    with site.live(sitting=_agreed(site)) as live:
        told = [_ask(live, shown.jpeg)["learning"] for _ in range(6)]
    assert [one["label"] for one in told] == [None, None, "happy", None, None, None]
    assert _kept(site) == [("happy", "model", "p1")]
    (row,) = inbox.read(site.service.paths.inbox).faces.to_dict("records")
    assert row["consent"]["text"] == CONSENT_VERSION
    assert site.client.get("/api/captures").json()["waiting"]["happy"] == 0
    assert site.client.delete(f"/api/captures/{told[2]['capture']}").json() == {
        "undone": "removed"
    }
    assert _kept(site) == []


def test_where_it_is_not_offered_or_nobody_agreed_it_is_refused(start: Serve) -> None:
    site = start()
    for sitting in (_agreed(site), "nobody"):
        with (
            site.live(sitting=sitting) as live,
            pytest.raises(ConnectionClosedError, match="1008"),
        ):
            live.recv(timeout=10)


def test_one_client_cannot_take_every_place(
    site: Site, shown: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_MAX_OF_ONE", 1)
    with site.live() as live:
        _ask(live, shown.jpeg)
        with site.live() as late, pytest.raises(ConnectionClosedError, match="1 of them yours"):
            late.recv(timeout=10)


def _sessions(site: Site) -> str:
    text: str = site.client.get("/metrics").text
    return next(line for line in text.splitlines() if line.startswith("fer_sessions "))


def test_open_sessions_are_counted(site: Site, shown: SimpleNamespace) -> None:
    assert _sessions(site) == "fer_sessions 0.0"
    with site.live() as one, site.live() as other:
        _ask(one, shown.jpeg), _ask(other, shown.jpeg)
        assert _sessions(site) == "fer_sessions 2.0"
    # The server learns a moment after the client that a session is over.
    assert any(_sessions(site) == "fer_sessions 0.0" for _ in range(1000))


def test_faces_are_counted_under_the_name_of_their_camera(
    site: Site, shown: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(site.service.onlooker, "add", lambda camera, _: counted.append(camera))
    for camera in ("kiosk 2", None):
        with site.live(camera=camera) as live:
            for _ in range(STAYING):
                _ask(live, shown.jpeg)
    assert counted == ["kiosk 2", "browser"]


@pytest.mark.parametrize("camera", ["", "../x", "x" * 41])
def test_a_camera_has_a_name_for_people(site: Site, camera: str) -> None:
    with pytest.raises(InvalidStatus, match="403"), site.live(camera=camera):
        pass


def test_with_the_session_go_the_looks_of_who_sat_there(
    start: Serve, shown: SimpleNamespace
) -> None:
    site = start(self_learning=True)
    sitting = _agreed(site)
    album = site.service.seats[sitting].album
    assert album is not None
    with site.live(sitting=sitting) as live:
        for _ in range(4):
            _ask(live, shown.jpeg)
        assert album._held is not None
    assert any(site.client.get("/healthz").is_success and album._held is None for _ in range(2000))
