"""Who is named is told what a person should know; a notice that fails harms nothing."""

import pytest
import yaml
from prefect import flow

from fer.errors import Busy
from fer.paths import Paths
from pipelines import notices
from pipelines.commands import StepFailed, StepRefused

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture(autouse=True)
def here(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "PATHS", paths)


@flow(on_failure=[notices.failed], retries=0)
def ends_with(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "subject"),
    [
        (StepRefused("fer validate: 3 of 70 labels are unknown"), "A step refused its input"),
        (StepFailed("disk full"), "Update failed"),
    ],
)
def test_an_update_that_fails_is_told_with_its_reason(
    listener, error: Exception, subject: str
) -> None:
    with pytest.raises(type(error)):
        ends_with(error)

    ((told, text),) = listener.heard
    assert told == subject
    assert str(error) in text


def test_an_update_that_another_one_keeps_out_is_not_told(listener) -> None:
    with pytest.raises(Busy):
        ends_with(Busy("one runs"))

    assert listener.heard == []


def test_without_a_name_nobody_is_told(listener, paths: Paths) -> None:
    settings = yaml.safe_load(paths.params.read_text("utf-8"))
    settings["update"]["notify"] = None
    paths.params.write_text(yaml.safe_dump(settings), "utf-8")

    notices.tell("subject", "text")

    assert listener.heard == []


@pytest.mark.parametrize("fault", ["unknown block", "nobody listens"])
def test_a_notice_that_fails_is_logged_and_the_update_says_its_own_reason(
    listener, paths: Paths, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    text = paths.params.read_text("utf-8")
    if fault == "unknown block":
        paths.params.write_text(text.replace("/ops", "/nobody"), "utf-8")
    else:
        listener.block.url = "http://127.0.0.1:1"
        listener.block.save("ops", overwrite=True)

    with pytest.raises(StepFailed, match="disk full"):
        ends_with(StepFailed("disk full"))

    assert "Nobody was told 'Update failed'" in caplog.text
    assert listener.heard == []
