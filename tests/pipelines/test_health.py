"""What `fer doctor` tells of Prefect is what a flow would meet."""

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from pipelines.health import look


def test_a_server_that_answers_and_a_block_that_loads_are_well(listener) -> None:
    found = look("custom-webhook/ops")

    assert found["server"] == PREFECT_API_URL.value()
    assert (found["silent"], found["block"]) == (None, None)


@pytest.mark.usefixtures("server")
def test_a_block_that_nobody_made_says_so() -> None:
    assert "nobody" in str(look("custom-webhook/nobody")["block"])


def test_a_server_that_is_away_is_not_asked_for_the_block() -> None:
    away = "http://127.0.0.1:1/api"
    with temporary_settings({PREFECT_API_URL: away, PREFECT_CLIENT_MAX_RETRIES: 0}):
        found = look("custom-webhook/ops")

    assert found["server"] == away
    assert found["silent"]
    assert found["block"] is None
