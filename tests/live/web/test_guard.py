"""Only this server's own page, this machine or the holder of a token get an answer."""

import re
import socket
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fer import audit
from fer.data import quarantine
from fer.live.web import guard, tokens
from fer.live.web.app import create_app
from fer.live.web.limits import Limits
from fer.live.web.service import MAX_BYTES
from tests.conftest import make_faces
from tests.live.web.conftest import Serve, Site


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:1", "http://[", "https://127.0.0.1"],
)
def test_pages_of_other_sites_are_refused(site: Site, origin: str) -> None:
    answer = site.client.post("/api/predict", content=b"x", headers={"Origin": origin})
    assert answer.status_code == 403
    with pytest.raises(InvalidStatus, match="403"):
        site.live(origin=origin)


def test_the_own_page_is_answered(site: Site) -> None:
    headers = {"Origin": f"http://{site.host}"}
    assert site.client.post("/api/predict", content=b"x", headers=headers).status_code == 422
    with site.live(origin=f"http://{site.host}"):
        pass


def test_a_name_that_was_made_to_point_here_is_refused(site: Site) -> None:
    for host in ("evil.example", "[", "127.0.0.1.evil.example:80", ""):
        answer = site.client.get("/api/models", headers={"Host": host})
        assert answer.status_code == 403


def test_large_bodies_are_refused_before_they_are_read(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", int(site.host.split(":")[1]))) as raw:
        head = f"POST /api/predict HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 999999999\r\n"
        raw.sendall(f"{head}\r\n".encode())
        assert b" 413 " in raw.recv(200)


@pytest.mark.parametrize("path", [b"/api/about/", b"/api/about", b"/api/login"])
def test_bytes_that_no_address_holds_are_refused(site: Site, path: bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(site.host.split(":")[1]))) as raw:
        head = b"POST " + path + b"?x=\xda HTTP/1.1\r\nHost: localhost\r\n"
        raw.sendall(head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        assert b" 400 " in raw.recv(200)


def test_bodies_of_unknown_length_are_refused(site: Site) -> None:
    assert site.client.post("/api/predict", content=iter([b"x"])).status_code == 411


def test_the_limit_is_the_limit(site: Site) -> None:
    answer = site.client.post("/api/predict", content=b"x" * MAX_BYTES)
    assert answer.status_code == 422
    answer = site.client.post("/api/predict", content=b"x" * (MAX_BYTES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/models", "/nowhere"])
def test_every_answer_forbids_what_the_page_does_not_need(site: Site, path: str) -> None:
    headers = site.client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_nothing_outside_the_page_is_served(site: Site) -> None:
    assert site.client.get("/static/../app.py").status_code == 404
    assert site.client.get("/static/%2e%2e/app.py").status_code == 404


def _routes(site: Site) -> list[tuple[str, str]]:
    """Every route of the application, as a method and a path."""
    found: list[tuple[str, str]] = []
    waiting = list(create_app(site.service, closed=True).routes)
    while waiting:
        route: Any = waiting.pop()
        inner = getattr(route, "original_router", None)
        waiting += inner.routes if inner is not None else []
        if inner is None:
            path = re.sub(r"{.*?}", "x", route.path)
            methods = getattr(route, "methods", None) or {"WEBSOCKET"}
            found += [(method, path) for method in sorted(methods)]
    return sorted(found)


def test_who_shows_no_token_reads_whether_it_runs_and_nothing_else(start: Serve) -> None:
    site = start(closed=True, limits=Limits(count(0, 1000).__next__))
    routes = _routes(site)
    assert {("GET", "/"), ("GET", "/metrics"), ("GET", "/openapi.json"), ("POST", "/api/update"),
            ("WEBSOCKET", "/api/live")} <= {*routes}  # fmt: skip
    files = [f"/static/{file.name}" for file in (Path(guard.__file__).parent / "static").iterdir()]
    near = ["/healthz/", "/healthz/x", "/healthzx", "/api/loginx", "/api/login/x", "//", "/docs"]
    for method, path in [*routes, *(("GET", path) for path in files + near)]:
        if method == "WEBSOCKET":
            with pytest.raises(InvalidStatus, match="403"):
                connect(f"ws://{site.host}{path}")
        elif path not in {"/healthz", "/api/login"}:
            for shown in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"{guard.COOKIE}=x"}):
                answer = site.client.request(
                    method, f"http://{site.host}{path}", headers=shown, json={}
                )
                assert answer.status_code == 401, (method, path)
                assert set(answer.headers).isdisjoint({"set-cookie", "last-modified", "etag"})
    assert site.client.post("/api/login", json={"token": ""}).status_code == 401
    assert not site.service.paths.inbox.exists()


def test_whether_it_runs_tells_no_name_path_or_error(start: Serve) -> None:
    site = start(closed=True)
    told = {"status": "ok", "model": True, "broken": False}
    assert site.client.get("/healthz").json() == told
    site.registry.champion = 3  # there is none
    site.service.predictor.refresh()
    assert site.client.get("/healthz").json() == {**told, "broken": True}


def test_the_door_runs_its_own_script_and_nothing_else(start: Serve) -> None:
    answer = start(closed=True).client.get("/")
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"].startswith("text/html")
    assert re.search(r"script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; ", policy)
    assert "unsafe" not in policy
    assert "src=" not in answer.text


@pytest.mark.parametrize("site_of", ["cross-site", "same-site"])
def test_a_page_of_another_site_cannot_even_have_something_read(site: Site, site_of: str) -> None:
    headers = {"Sec-Fetch-Site": site_of}
    for path in ("/api/review/doubts", "/static/app.js", "/metrics"):
        assert site.client.get(path, headers=headers).status_code == 403
    assert site.client.get("/", headers=headers).status_code == 200  # a link


def test_no_route_acts_for_a_page_of_another_site(site: Site) -> None:
    for method, path in _routes(site):
        if method not in {"GET", "HEAD", "OPTIONS", "WEBSOCKET"}:
            headers = {"Origin": "http://evil.example"}
            answer = site.client.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path)


def test_every_route_answers_with_the_same_headers(start: Serve) -> None:
    site = start(limits=Limits(count(0, 1000).__next__))
    for method, path in _routes(site):
        if method != "WEBSOCKET":
            headers = site.client.request(method, path).headers
            assert "default-src 'none'" in headers["content-security-policy"], (method, path)
            assert headers["x-content-type-options"] == "nosniff", (method, path)


def test_a_fault_of_the_server_has_the_headers_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.registry, "listed", lambda: [object()])
    answer = site.client.get("/api/models")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "object" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b'{"version": NaN}', b'{"version": Infinity}', b'{"version": "\\ud800"}', b"[" * 10_000],
)
def test_a_body_that_no_answer_could_repeat_is_refused(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = site.client.post("/api/models/rollback", content=body, headers=headers)
    assert answer.status_code in {400, 422}


def test_a_length_of_thousands_of_digits_is_refused() -> None:
    assert guard._refused_size(Headers({"content-length": "9" * 5000}), 10).status == 413  # type: ignore[union-attr]


def test_a_token_opens_everything(start: Serve) -> None:
    site = start(closed=True)
    bearer = {"Authorization": f"Bearer {tokens.new(site.service.paths, 'phone', 1)}"}
    assert site.client.get("/api/about", headers=bearer).status_code == 200
    with site.live(additional_headers=bearer):
        pass
    elsewhere = {**bearer, "Host": "fer.example"}
    assert site.client.get("/api/about", headers=elsewhere).status_code == 200


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(start: Serve) -> None:
    site = start(closed=True)
    token = tokens.new(site.service.paths, "phone", 1)
    assert site.client.post("/api/login", json={"token": "wrong"}).status_code == 401
    answer = site.client.post("/api/login", json={"token": token})
    assert answer.status_code == 204
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert token not in answer.headers["set-cookie"]
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert site.client.get("/api/about").status_code == 200
    assert site.client.get("/").status_code == 200


def test_what_is_done_is_written_down_under_the_name_of_the_token(start: Serve) -> None:
    site = start(closed=True)
    paths = site.service.paths
    bearer = {"Authorization": f"Bearer {tokens.new(paths, 'phone', 1)}"}
    quarantine.put(paths.quarantine, make_faces(1).assign(reason="label: none"))
    said = {"face": make_faces(1)["id"][0], "verdict": "reject"}
    assert site.client.post("/api/review", json=said, headers=bearer).status_code == 202
    made, reviewed = audit.read(paths).entries
    assert (made["kind"], made["who"], made["name"]) == ("token", "local", "phone")
    assert (reviewed["kind"], reviewed["who"], reviewed["face"]) == (
        "review", "phone", said["face"],
    )  # fmt: skip


def test_behind_a_proxy_each_client_is_one_and_https_is_seen(start: Serve) -> None:
    site = start(closed=True, proxy="127.0.0.1")
    token = {"token": tokens.new(site.service.paths, "phone", 1)}

    def ask(client: str) -> httpx.Response:
        # Whatever the client itself put first is not believed.
        headers = {"X-Forwarded-For": f"1.2.3.4, {client}", "X-Forwarded-Proto": "https"}
        return site.client.post("/api/login", json=token, headers=headers)

    assert "Secure" in ask("10.0.0.1").headers["set-cookie"]
    assert 429 in [ask("10.0.0.1").status_code for _ in range(12)]
    assert ask("10.0.0.2").status_code == 204


def test_without_a_proxy_no_client_is_believed_who_it_is(start: Serve) -> None:
    site = start(closed=True)
    answers = [
        site.client.post(
            "/api/login", json={"token": "x"}, headers={"X-Forwarded-For": f"10.0.0.{n}"}
        )
        for n in range(12)
    ]
    assert answers[-1].status_code == 429
