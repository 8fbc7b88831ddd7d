"""YuNet's file comes whole and right, or not at all; what came is not asked for again."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fer.errors import Busy, FerError
from fer.faces import yunet
from fer.files import locked
from fer.paths import Paths

CONTENT = bytes(range(256)) * 400


class _Site(HTTPServer):
    """Serves `content` at /good, of which it sends `sends` bytes and then hangs up."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.content = CONTENT
        self.sends: int | None = None
        self.knows_ranges = True
        self.asked: list[str | None] = []

    def url(self, name: str = "good") -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Answers(BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.asked.append(wanted)
        if self.path != "/good":
            self.send_error(404)
            return
        start = 0
        if wanted and self.server.knows_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            end = len(self.server.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{end + 1}")
        else:
            self.send_response(200)
        rest = self.server.content[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.sends])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(yunet, "SIZE", len(CONTENT))
    monkeypatch.setattr(yunet, "SHA256", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def site() -> Iterator[_Site]:
    with _Site() as site:
        serving = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield site
        site.shutdown()
        serving.join()


def _left(paths: Paths) -> list[Path]:
    return sorted(paths.detector.parent.iterdir())


def test_the_file_comes_whole_and_leaves_nothing_beside_it(site: _Site, paths: Paths) -> None:
    yunet.fetch(paths, [site.url()])

    assert paths.detector.read_bytes() == CONTENT
    assert _left(paths) == [paths.detector]


def test_what_is_here_is_not_asked_for(site: _Site, paths: Paths) -> None:
    yunet.fetch(paths, [site.url()])
    yunet.fetch(paths, [site.url()])

    assert site.asked == [None]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_broke_off_goes_on(site: _Site, paths: Paths, knows_ranges: bool) -> None:
    site.sends, site.knows_ranges = 70_000, knows_ranges
    with pytest.raises(FerError, match=f"70000 of {len(CONTENT)} bytes before it broke off"):
        yunet.fetch(paths, [site.url()])
    assert not paths.detector.exists()

    site.sends = None
    yunet.fetch(paths, [site.url()])

    assert site.asked == [None, "bytes=70000-"]
    assert paths.detector.read_bytes() == CONTENT
    assert _left(paths) == [paths.detector]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", id="pointer"),
        pytest.param(CONTENT + b"more", id="longer"),
        pytest.param(CONTENT[:-1] + b"x", id="other bytes"),
    ],
)
def test_another_file_is_not_kept(site: _Site, paths: Paths, content: bytes) -> None:
    site.content = content

    with pytest.raises(FerError, match="another file"):
        yunet.fetch(paths, [site.url()])

    assert _left(paths) == []


def test_a_file_without_end_is_read_no_further_than_needed(site: _Site, paths: Paths) -> None:
    site.content = CONTENT * 100

    with pytest.raises(FerError, match=f"of {len(CONTENT) + 1} bytes"):
        yunet.fetch(paths, [site.url()])


def test_a_start_of_another_file_is_dropped_and_the_next_address_starts_anew(
    site: _Site, paths: Paths
) -> None:
    paths.detector.parent.mkdir()
    paths.detector.with_name(".part-yunet.onnx").write_bytes(b"x" * 100)

    yunet.fetch(paths, [site.url(), site.url()])

    assert site.asked == ["bytes=100-", None]
    assert paths.detector.read_bytes() == CONTENT


def test_a_damaged_file_is_replaced(site: _Site, paths: Paths) -> None:
    paths.detector.parent.mkdir()
    paths.detector.write_bytes(b"damaged")

    yunet.fetch(paths, [site.url()])

    assert paths.detector.read_bytes() == CONTENT


def test_the_second_address_serves_where_the_first_fails(site: _Site, paths: Paths) -> None:
    yunet.fetch(paths, [site.url("gone"), site.url()])

    assert paths.detector.read_bytes() == CONTENT


def test_offline_it_says_so_in_a_line(site: _Site, paths: Paths) -> None:
    with HTTPServer(("127.0.0.1", 0), _Answers) as closed:
        nobody = f"http://127.0.0.1:{closed.server_port}/good"

    with pytest.raises(FerError, match="Is this machine online") as refused:
        yunet.fetch(paths, [nobody])

    assert "refused" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert _left(paths) == []


def test_two_do_not_fetch_at_once(site: _Site, paths: Paths) -> None:
    with locked(paths.lock("yunet")), pytest.raises(Busy):
        yunet.fetch(paths, [site.url()])

    assert site.asked == []
