"""Schedules on one machine: `python -m pipelines.schedule` serves what prefect.yaml plans.

Needs a running `prefect server start`. The other way, a work pool, reads the same file; README
has its commands.
"""

import sys
from importlib import import_module
from typing import Any

import yaml
from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.settings import get_current_settings

from pipelines.commands import ROOT


def main() -> None:
    """Serve every deployment of prefect.yaml until stopped."""
    if not get_current_settings().api.url:
        sys.exit(
            "schedule: expected a Prefect server, received none. Start one with "
            "`prefect server start` and set PREFECT_API_URL=http://127.0.0.1:4200/api"
        )
    planned = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    # Stopping this process must not switch the schedules off for good.
    serve(*map(_deployment, planned), limit=1, pause_on_shutdown=False)


def _deployment(planned: dict[str, Any]) -> RunnerDeployment:
    file, name = planned["entrypoint"].split(":")
    flow = getattr(import_module(file.removesuffix(".py").replace("/", ".")), name)
    deployment: RunnerDeployment = flow.to_deployment(
        planned["name"],
        schedules=[Cron(each["cron"]) for each in planned["schedules"]],
        parameters=planned.get("parameters"),
        concurrency_limit=ConcurrencyLimitConfig(**planned["concurrency_limit"]),
    )
    return deployment


if __name__ == "__main__":
    main()
