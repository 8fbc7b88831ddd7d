"""The page starts an update and watches it; another page cannot."""

from fer.files import locked, write_json
from tests.live.web.conftest import Site


def _put_flow(site: Site) -> None:
    folder = site.service.paths.root / "pipelines"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "update.py").write_text("import sys; sys.exit('no faces')", "utf-8")


def _running(site: Site) -> None:
    told = {"reason": "by hand", "began": 1.0, "ended": None, "error": None, "steps": []}
    write_json(site.service.paths.update_progress, told)


def test_the_running_update_is_told_and_no_second_one_started(site: Site) -> None:
    assert site.client.get("/api/update").json()["running"] is False
    _put_flow(site)
    _running(site)
    with locked(site.service.paths.lock("update")):
        told = site.client.get("/api/update").json()
        answer = site.client.post("/api/update")
    assert (told["running"], told["reason"]) == (True, "by hand")
    assert answer.status_code == 409
    assert "one does" in answer.json()["detail"]


def test_a_page_of_another_site_starts_nothing(site: Site) -> None:
    answer = site.client.post("/api/update", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert not site.service.paths.update_log.exists()


def test_an_update_is_started(site: Site) -> None:
    _put_flow(site)

    assert site.client.post("/api/update").json()["running"] is True

    told = site.client.get("/api/update").json()
    while told["running"]:
        told = site.client.get("/api/update").json()
    assert told["error"] == "The update did not begin: no faces"


def test_the_flow_of_another_checkout_is_not_run(site: Site) -> None:
    # `pipelines` is installed for these tests, but this checkout has none.
    answer = site.client.post("/api/update")
    assert answer.status_code == 503
    assert not site.service.paths.update_log.exists()
