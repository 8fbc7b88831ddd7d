"""prefect.yaml plans flows that exist, at times that exist."""

from importlib import import_module
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule
from prefect.settings import PREFECT_API_URL, temporary_settings

from pipelines import schedule
from pipelines.commands import ROOT

PLANNED: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))[
    "deployments"
]


@pytest.mark.parametrize("planned", PLANNED, ids=[one["name"] for one in PLANNED])
def test_a_deployment_names_a_flow_and_gives_it_parameters_it_has(planned: dict[str, Any]) -> None:
    file, name = planned["entrypoint"].split(":")

    flow = getattr(import_module(file.removesuffix(".py").replace("/", ".")), name)

    assert (ROOT / file).is_file()
    assert isinstance(flow, Flow)
    assert set(planned.get("parameters", {})) <= set(flow.parameters.properties)


@pytest.mark.parametrize("planned", PLANNED, ids=[one["name"] for one in PLANNED])
def test_a_deployment_has_times_and_never_overlaps_itself(planned: dict[str, Any]) -> None:
    for each in planned["schedules"]:
        assert CronSchedule(cron=each["cron"]).cron == each["cron"]
    assert planned["schedules"]
    assert planned["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_both_ways_to_schedule_plan_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr(schedule, "serve", lambda *given, **_: served.extend(given))

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        schedule.main()

    assert [
        (
            one.name,
            one.flow_name,
            one.schedules[0].schedule.cron,
            one.parameters,
            one.concurrency_limit,
        )
        for one in served
    ] == [
        (
            one["name"],
            one["entrypoint"].split(":")[1],
            one["schedules"][0]["cron"],
            one.get("parameters", {}),
            one["concurrency_limit"]["limit"],
        )
        for one in PLANNED
    ]


def test_without_a_server_the_reader_is_told() -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(SystemExit, match="prefect server start"),
    ):
        schedule.main()
