"""Pictures, models, review and meters through the API."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from fer.data import inbox, quarantine, table, version
from fer.files import sha256
from fer.live.seen import Agreement
from fer.live.web.app import Refusal
from fer.records import DataVersion, Decision, Shard
from tests.live.web.conftest import Site


def test_a_picture_comes_back_with_its_faces(site: Site, shown: SimpleNamespace) -> None:
    told = site.client.post("/api/predict", content=shown.jpeg).json()
    assert (told["width"], told["height"], len(told["faces"])) == (640, 480, 1)
    assert told["faces"][0]["emotion"] == "happy"


def test_junk_is_explained(site: Site) -> None:
    answer = site.client.post("/api/predict", content=b"junk")
    assert answer.status_code == 422
    assert "Save it as JPEG or PNG" in answer.json()["detail"]


def test_refusals_are_as_the_api_describes_them(site: Site) -> None:
    described = site.client.get("/openapi.json").json()
    operations = [one for methods in described["paths"].values() for one in methods.values()]
    for one in operations:
        assert "422" not in one["responses"], "another form than the default one"
        told = one["responses"]["default"]["content"]["application/json"]["schema"]
        assert told == {"$ref": "#/components/schemas/Refusal"}
    for junk in ({"content": b"junk"}, {"content": b""}):
        Refusal.model_validate(site.client.post("/api/predict", **junk).json())
    Refusal.model_validate(site.client.post("/api/captures").json())


def test_versions_come_with_verdict_and_reasons(site: Site) -> None:
    newest, first = site.client.get("/api/models").json()
    assert (newest["version"], first["aliases"]) == (2, ["champion"])
    assert (first["accuracy"], first["reasons"]) == (0.9, ["first", "second"])


def test_versions_come_with_every_condition_and_the_accuracy_by_domain(site: Site) -> None:
    newest, elsewhere = site.client.get("/api/models").json()
    assert [(one["name"], one["holds"]) for one in newest["conditions"]] == [
        ("held", True), ("failed", False),
    ]  # fmt: skip
    assert newest["domains"] == {"desk": {"faces": 9, "champion": 0.5, "candidate": 0.75}}
    assert (elsewhere["conditions"], elsewhere["domains"]) == ([], {})


def test_what_a_shadow_says_is_told_by_the_page_of_its_version_alone(site: Site) -> None:
    site.service.onlooker.agreement = Agreement(champion=1, shadow=2, faces=9, alike=8)
    newest, first = site.client.get("/api/models").json()
    assert newest["agreement"] == {"champion": 1, "shadow": 2, "faces": 9, "alike": 8}
    assert (first["agreement"], first["feedback"]) == (None, "version 1 got 3 votes")


def test_a_rollback_is_served_at_once(site: Site) -> None:
    answer = site.client.post("/api/models/rollback", json={"version": 2})
    assert answer.json() == {"before": 1, "after": 2}
    assert site.client.get("/api/about").json()["model"]["name"] == "version 2"


def test_a_rollback_to_nothing_is_explained(site: Site) -> None:
    answer = site.client.post("/api/models/rollback", json={})
    assert (answer.status_code, answer.json()["detail"]) == (409, "none before it")


def test_faces_set_apart_are_shown_and_decided(site: Site) -> None:
    pixels = np.full((48, 48), 9, np.uint8)
    row: dict[str, object] = {
        "id": table.face_id(pixels), "image": table.encode(pixels[None])[0], "label": "sad",
        "source": "webcam", "domain": "desk",
    }  # fmt: skip
    faces = table.frame([row]).assign(reason="no consent")
    quarantine.put(site.service.paths.quarantine, faces)
    (told,) = site.client.get("/api/review").json()
    assert (told["label"], told["reason"], told["decided"]) == ("sad", "no consent", None)
    assert told["image"].startswith("data:image/png;base64,")
    said = {"face": told["face"], "verdict": "accept", "label": "fear"}
    assert site.client.post("/api/review", json=said).status_code == 202
    (decision,) = inbox.read(site.service.paths.inbox).decisions
    assert (decision.face, decision.verdict, decision.label) == (row["id"], "accept", "fear")
    assert site.client.get("/api/review").json()[0]["decided"] == "accept as fear"


def test_a_face_that_does_not_wait_is_refused(site: Site) -> None:
    said = {"face": "0" * 64, "verdict": "reject"}
    assert site.client.post("/api/review", json=said).status_code == 422


def test_a_doubted_label_is_shown_and_corrected(site: Site, faces: Callable[..., Any]) -> None:
    paths = site.service.paths
    assert site.client.get("/api/review/doubts").status_code == 503  # nothing to measure it on
    table.write(paths.validation, faces(14, split="validation"))
    table.write(paths.captures / "1.parquet", faces(2, first=20, label=["happy", "sad"]))
    shard = Shard("1.parquet", sha256(paths.captures / "1.parquet"), 2, 1)
    version.write(paths.version, DataVersion(8, (shard,)))
    (told,) = site.client.get("/api/review/doubts").json()
    wrong = faces(1, first=21)["id"][0]
    assert (told["face"], told["label"], told["suggested"]) == (wrong, "sad", "happy")
    assert told["sure"] > told["given"]
    said = {"face": wrong, "verdict": "accept", "label": "happy"}
    assert site.client.post("/api/review", json=said).status_code == 202
    assert site.client.get("/api/review/doubts").json()[0]["decided"] == "accept as happy"
    version.write(paths.version, DataVersion(9, (shard,), (Decision(wrong, "accept", "happy"),)))
    assert site.client.get("/api/review/doubts").json() == []


def test_the_api_describes_itself(site: Site) -> None:
    paths = site.client.get("/openapi.json").json()["paths"]
    assert {"/api/predict", "/api/captures", "/api/models", "/api/review"} <= set(paths)
    assert "image/jpeg" in paths["/api/predict"]["post"]["requestBody"]["content"]


def test_meters_tell_what_is_served(site: Site, shown: SimpleNamespace) -> None:
    site.client.post("/api/predict", content=shown.jpeg)
    text = site.client.get("/metrics").text
    for line in ("fer_faces_total 1.0", "fer_champion_version 1.0", "fer_champion_broken 0.0"):
        assert line in text


def test_starting_loads_neither_tensorflow_nor_mlflow() -> None:
    code = (
        "import sys, fer.live.web.server\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'mlflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
