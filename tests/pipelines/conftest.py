"""One Prefect server for all flows: starting it takes seconds."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.testing.utilities import prefect_test_harness

from fer.paths import Paths


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server with a database of its own, for as long as the tests run."""
    home: Path = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PREFECT_HOME", str(home))
        # The database of the harness is new: making its tables can take long on a busy machine.
        with prefect_test_harness(server_startup_timeout=120):
            yield


@pytest.fixture
def paths(paths: Paths) -> Paths:
    """The checkout of all tests, with settings of the flows that do not change with ours."""
    settings = yaml.safe_load(paths.params.read_text("utf-8"))
    settings["update"] = {
        "min_new_faces": 50, "retries": 1, "step_timeout_minutes": 90, "notify": None,
    }  # fmt: skip
    settings["drift"] = {"false_alarms": 0.05, "min_new_faces": 10}
    paths.params.write_text(yaml.safe_dump(settings), "utf-8")
    return paths


@dataclass
class Listener:
    """A web server on this machine, and the notices that it was sent.

    Args:
        address: URL.
        block: What sends to it.
        heard: Subject and text of each notice.
    """

    address: str
    block: CustomWebhookNotificationBlock
    heard: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def listener(server: None, paths: Paths) -> Iterator[Listener]:
    """Who is told; `custom-webhook/ops`, which the settings name, sends to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.heard.append((told["subject"], told["body"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        address = f"http://127.0.0.1:{web.server_address[1]}"
        block = CustomWebhookNotificationBlock(
            name="ops", url=address, json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        found = Listener(address, block)
        block.save("ops", overwrite=True)
        settings = yaml.safe_load(paths.params.read_text("utf-8"))
        settings["update"]["notify"] = "custom-webhook/ops"
        paths.params.write_text(yaml.safe_dump(settings), "utf-8")
        serving = threading.Thread(target=web.serve_forever)
        serving.start()
        yield found
        web.shutdown()
        serving.join()
