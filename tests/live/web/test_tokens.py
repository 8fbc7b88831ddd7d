"""A token is shown once, kept as a hash, ends by itself or at once, and with it what it opened."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from fer import audit
from fer.errors import DataError, FerError
from fer.live.web import tokens
from fer.paths import Paths
from fer.records import now
from tests.live.web.conftest import Serve, Site


def _bearer(site: Site, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.new(site.service.paths, name, 1)}"}


def test_what_is_kept_opens_nothing_and_is_for_nobody_else(paths: Paths) -> None:
    token = tokens.new(paths, "phone", 7)

    kept = paths.tokens.read_text("utf-8")

    assert token not in kept
    assert tokens.signed_in(token) not in kept
    assert paths.tokens.stat().st_mode & 0o777 == 0o600
    for found in json.loads(kept)[0].values():
        assert tokens.holder(paths, found) is None
        assert tokens.holder(paths, tokens.signed_in(found)) is None
    assert tokens.holder(paths, tokens.signed_in(token)) == "phone"


def test_tokens_are_long_and_each_is_another(paths: Paths) -> None:
    made = {tokens.new(paths, f"phone-{number}", 7) for number in range(5)}

    assert len(made) == 5
    assert min(map(len, made)) >= 43  # 256 bits in base 64


def test_a_token_ends_on_its_day(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = tokens.signed_in(tokens.new(paths, "phone", 7))
    moment = now()
    for days, name in ((6, "phone"), (7.1, None)):
        later = moment + timedelta(days=days)
        monkeypatch.setattr(tokens, "now", lambda later=later: later)
        assert tokens.holder(paths, shown) == name
    # One that is over makes room for another of its name.
    again = tokens.new(paths, "phone", 7)
    assert tokens.holder(paths, shown) is None
    assert tokens.holder(paths, tokens.signed_in(again)) == "phone"


def test_a_revoked_token_opens_nothing_and_others_still_do(paths: Paths) -> None:
    phone, tablet = (tokens.signed_in(tokens.new(paths, one, 7)) for one in ("phone", "tablet"))

    tokens.revoke(paths, "phone")

    assert tokens.holder(paths, phone) is None
    assert tokens.holder(paths, tablet) == "tablet"
    assert [one.name for one in tokens.listed(paths)] == ["tablet"]
    with pytest.raises(FerError, match="fer token list"):
        tokens.revoke(paths, "phone")


def test_making_and_revoking_is_written_down(paths: Paths) -> None:
    tokens.new(paths, "phone", 7)
    tokens.revoke(paths, "phone")

    assert [(one["did"], one["name"]) for one in audit.read(paths).entries] == [
        ("new", "phone"), ("revoke", "phone"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "Ana", "a b", "../x", "x" * 41, "local", "flow", "a\n"])
def test_names_that_mislead_are_refused(paths: Paths, name: str) -> None:
    with pytest.raises(DataError, match="Expected a name"):
        tokens.new(paths, name, 7)


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_every_token_ends(paths: Paths, days: int) -> None:
    with pytest.raises(DataError, match="--days"):
        tokens.new(paths, "phone", days)


def test_a_name_is_taken_once(paths: Paths) -> None:
    tokens.new(paths, "phone", 7)
    with pytest.raises(DataError, match="revoke phone"):
        tokens.new(paths, "phone", 7)


@pytest.mark.parametrize(
    "content", ["", "[]x", "[1]", "{}", '[{"name": "x"}]', "null", "[" * 100_000]
)
def test_a_damaged_list_is_told_and_opens_nothing(paths: Paths, content: str) -> None:
    shown = tokens.signed_in(tokens.new(paths, "phone", 7))
    paths.tokens.write_text(content, "utf-8")

    assert tokens.holder(paths, shown) is None
    with pytest.raises(DataError, match="fer token new"):
        tokens.listed(paths)


def test_a_server_that_runs_knows_at_once(start: Serve) -> None:
    site = start(closed=True)
    bearer = _bearer(site, "phone")
    assert site.client.get("/api/about", headers=bearer).status_code == 200
    tokens.revoke(site.service.paths, "phone")
    assert site.client.get("/api/about", headers=bearer).status_code == 401


def test_a_sign_in_ends_with_its_token(start: Serve) -> None:
    site = start(closed=True)
    token = tokens.new(site.service.paths, "phone", 1)
    site.client.post("/api/login", json={"token": token})
    assert site.client.get("/api/about").status_code == 200
    tokens.revoke(site.service.paths, "phone")
    tokens.new(site.service.paths, "phone", 1)
    assert site.client.get("/api/about").status_code == 401


def test_a_live_session_ends_with_its_token_and_others_go_on(
    start: Serve, shown: SimpleNamespace
) -> None:
    site = start(closed=True)
    phone, tablet = _bearer(site, "phone"), _bearer(site, "tablet")
    with (
        site.live(additional_headers=phone) as ended,
        site.live(additional_headers=tablet) as other,
    ):
        for one in (ended, other):
            one.send(shown.jpeg)
            assert json.loads(one.recv(timeout=10))["faces"]
        tokens.revoke(site.service.paths, "phone")
        # Whether it sends a frame or is silent.
        with pytest.raises(ConnectionClosedError, match="1008"):
            ended.recv(timeout=10)
        other.send(shown.jpeg)
        assert json.loads(other.recv(timeout=10))["faces"]
    with pytest.raises(InvalidStatus, match="403"):
        site.live(additional_headers=phone)
