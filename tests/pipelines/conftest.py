"""One Prefect server for all flows: starting it takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
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
    settings["update"] = {"min_new_faces": 50, "retries": 1, "step_timeout_minutes": 90}
    settings["drift"] = {"false_alarms": 0.05, "min_new_faces": 10}
    paths.params.write_text(yaml.safe_dump(settings), "utf-8")
    return paths
