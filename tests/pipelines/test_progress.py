"""How far an update is can be read while it runs, and how it ended afterwards."""

import pytest

from fer.files import read_json
from fer.paths import Paths
from pipelines.progress import running, written


def test_each_state_is_written_as_it_comes(paths: Paths) -> None:
    file = paths.update_progress

    def states() -> list[str]:
        return [one["state"] for one in read_json(file)["steps"]]

    with written(file, "a test", ["one", "two"]) as progress:
        assert states() == ["waiting", "waiting"]
        with running(progress, "one"):
            assert states() == ["running", "waiting"]
            assert read_json(file)["ended"] is None
        assert states() == ["done", "waiting"]

    told = read_json(file)
    assert told["steps"][0]["seconds"] >= 0
    assert told["ended"] >= told["began"]
    assert (told["error"], told["reason"]) == (None, "a test")


@pytest.mark.parametrize("error", [ValueError("disk full"), KeyboardInterrupt("disk full")])
def test_a_failure_is_written_with_its_reason(paths: Paths, error: BaseException) -> None:
    with (
        pytest.raises(type(error)),
        written(paths.update_progress, "a test", ["one"]) as progress,
        running(progress, "one"),
    ):
        raise error

    told = read_json(paths.update_progress)
    assert (told["steps"][0]["state"], told["error"]) == ("failed", "disk full")
    assert told["ended"] is not None
