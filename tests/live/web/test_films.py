"""A film's frames come back one by one, and nothing of it stays."""

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event, Semaphore
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from fer.faces import camera
from fer.faces.detect import Detection
from fer.live.reading import Reading
from fer.live.web import films, tokens, visits
from fer.live.web.limits import Limits
from fer.live.web.service import MAX_BYTES
from fer.paths import Paths
from tests.live.conftest import write_film
from tests.live.web.conftest import Serve, Site


@pytest.fixture
def film(tmp_path: Path, shown: SimpleNamespace) -> bytes:
    """Return a film of 14 frames of one drawn face."""
    return write_film(tmp_path / "film.avi", shown.image, 14).read_bytes()


@pytest.fixture
def disk(site: Site) -> Path:
    """Return the folder that films wait in."""
    folder = site.service.paths.films
    folder.mkdir(parents=True)
    return folder


def _told(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.iter_lines()]


def test_every_frame_comes_back_in_order_with_its_numbered_face(site: Site, film: bytes) -> None:
    told = _told(site.client.post("/api/films", content=film))
    assert [one["frame"] for one in told] == list(range(14))
    assert {face["track"] for one in told for face in one["faces"]} == {1}
    assert {len(one["faces"]) for one in told} == {1}
    assert told[0]["faces"][0]["emotion"] == "happy"
    assert (told[0]["width"], told[0]["height"], told[0]["path"]) == (640, 480, "")
    assert "fer_frames_total 14.0" in site.client.get("/metrics").text


def test_nothing_of_a_film_stays(site: Site, film: bytes, disk: Path) -> None:
    site.client.post("/api/films", content=film)
    site.client.post("/api/films", content=b"junk")
    with site.client.stream("POST", "/api/films", content=film) as answer:
        next(answer.iter_lines())  # and then the client is gone
    # The server learns a moment later.
    assert any(
        site.client.get("/healthz").is_success and not any(disk.iterdir()) for _ in range(2000)
    )


def test_who_leaves_while_sending_is_no_error_of_the_server(
    site: Site, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = site.client.base_url
    head = f"POST /api/films HTTP/1.1\r\nHost: localhost:{url.port}\r\nContent-Length: 99\r\n\r\n"
    with socket.create_connection((url.host, url.port or 0)) as client:
        client.sendall(head.encode())
        assert any(
            site.client.get("/healthz").is_success and [*disk.iterdir()] for _ in range(2000)
        )
    assert any(
        site.client.get("/healthz").is_success and not [*disk.iterdir()] for _ in range(2000)
    )
    # By then, what the request ended with has been logged.
    assert all(site.client.get("/healthz").is_success for _ in range(20))
    assert caplog.records == []


@pytest.mark.parametrize(
    "data",
    [
        b"junk",
        b"",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x18ftypmp42",
    ],
    ids=["junk", "empty", "playlist", "list of files", "cut short"],
)
def test_what_is_no_film_is_explained(site: Site, data: bytes) -> None:
    answer = site.client.post("/api/films", content=data)
    assert answer.status_code == 422
    assert "Expected" in answer.json()["detail"]
    assert ".film" not in answer.json()["detail"]


@pytest.mark.parametrize(
    "head", [b"#EXTM3U\n", b"#EXTM3U\nAVI \n", b"ffconcat version 1.0\n"], ids=repr
)
def test_a_list_of_other_files_never_reaches_ffmpeg(
    site: Site, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(films, "of_film", lambda path, *_: opened.append(path))
    answer = site.client.post("/api/films", content=head + b"#EXTINF:1,\n/etc/passwd\n")
    assert (answer.status_code, opened) == (422, [])


def test_a_film_may_be_larger_than_a_picture(site: Site) -> None:
    padded = b"\x1a\x45\xdf\xa3".ljust(MAX_BYTES + 1, b"\0")
    assert site.client.post("/api/films", content=padded).status_code == 422
    assert site.client.post("/api/predict", content=padded).status_code == 413


class _Waiting:
    """A detector that finds nothing, and not before it may."""

    def __init__(self) -> None:
        self.began = Semaphore(0)
        self.may = Event()

    def detect(self, _: camera.Frame) -> list[Detection]:
        self.began.release()
        self.may.wait(10)
        return []


def _from(site: Site, address: str) -> httpx.Client:
    """Return a client at another address of this machine."""
    return httpx.Client(
        base_url=site.client.base_url,
        timeout=10,
        transport=httpx.HTTPTransport(local_address=address),
    )


def test_films_are_looked_at_two_at_a_time_and_of_one_client_one(
    start: Serve, film: bytes
) -> None:
    site = start(limits=Limits(count(step=100).__next__))
    detector = _Waiting()
    site.service.detector = detector  # type: ignore[assignment]
    with (
        ThreadPoolExecutor() as threads,
        _from(site, "127.0.0.2") as second,
        _from(site, "127.0.0.3") as third,
    ):
        early = [threads.submit(site.client.post, "/api/films", content=film)]
        assert detector.began.acquire(timeout=10)
        again = site.client.post("/api/films", content=film)
        early.append(threads.submit(second.post, "/api/films", content=film))
        assert detector.began.acquire(timeout=10)
        late = third.post("/api/films", content=film)
        detector.may.set()
        assert [len(_told(one.result())) for one in early] == [14, 14]
    assert (again.status_code, again.headers["retry-after"]) == (429, "10")
    assert "one client" in again.json()["detail"]
    assert (late.status_code, late.headers["retry-after"]) == (429, "10")
    # A place is free a moment after the last line.
    answers = (site.client.post("/api/films", content=film) for _ in range(1000))
    assert any(answer.status_code == 200 for answer in answers)


def test_who_sends_too_slowly_loses_the_place(
    site: Site, film: bytes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.client.base_url
    head = f"POST /api/films HTTP/1.1\r\nHost: localhost:{url.port}\r\nContent-Length: 99\r\n\r\n"
    with monkeypatch.context() as patched:
        patched.setattr(films, "_RECEIVING_SECONDS", 0.01)
        with socket.create_connection((url.host, url.port or 0), timeout=10) as client:
            client.sendall(head.encode())
            assert client.recv(12) == b"HTTP/1.1 408"
    assert not any(disk.iterdir())
    assert site.client.post("/api/films", content=film).status_code == 200


def test_who_does_not_read_loses_the_place(
    site: Site, film: bytes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Reading("", 640, 480, ["x" * 100_000])  # type: ignore[list-item]
    endless = (long for _ in count())
    url = site.client.base_url
    head = f"POST /api/films HTTP/1.1\r\nHost: localhost:{url.port}\r\n"
    with monkeypatch.context() as patched, socket.socket() as client:
        patched.setattr(visits, "_UNREAD_SECONDS", 0.05)
        patched.setattr(films, "of_film", lambda *_: endless)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect((url.host, url.port or 0))
        client.sendall(f"{head}Content-Length: {len(film)}\r\n\r\n".encode() + film)
        assert client.recv(12) == b"HTTP/1.1 200"
        assert any(
            site.client.get("/healthz").is_success and not any(disk.iterdir()) for _ in range(2000)
        )
    assert site.client.post("/api/films", content=film).status_code == 200


def test_a_film_ends_with_the_token_of_who_sent_it(
    start: Serve, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start(closed=True)
    paths = site.service.paths
    endless = (Reading("", 640, 480, [], frame=number) for number in count())
    monkeypatch.setattr(films, "of_film", lambda *_: endless)
    bearer = {"Authorization": f"Bearer {tokens.new(paths, 'phone', 1)}"}
    with site.client.stream("POST", "/api/films", content=film, headers=bearer) as answer:
        lines = answer.iter_lines()
        next(lines)
        tokens.revoke(paths, "phone")
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)
    assert not any(paths.films.iterdir())


def test_what_a_killed_server_left_goes_and_a_running_ones_stays(paths: Paths) -> None:
    paths.films.mkdir(parents=True)
    left, in_work = paths.films / "left.film", paths.films / "in_work.film"
    for file in (left, in_work):
        file.touch()
    os.utime(left, (0, 0))
    films.clear(paths)
    assert [*paths.films.iterdir()] == [in_work]
