"""The update flow: from the inbox to a verdict. `python -m pipelines.update` runs it once."""

import os
import sys
from typing import Any, Final

from prefect import flow
from prefect.artifacts import create_table_artifact

from fer import audit, params
from fer.errors import FerError
from fer.files import locked, write_json
from pipelines import notices, progress, tasks
from pipelines.tasks import PATHS

_STEPS: Final = (
    tasks.pull, tasks.sweep, tasks.ingest, tasks.base, tasks.validate, tasks.balance,
    tasks.train, tasks.evaluate, tasks.promote, tasks.push,
)  # fmt: skip


@flow(
    name="update",
    flow_run_name="update: {reason}",
    on_failure=[notices.failed],
    on_crashed=[notices.failed],
)
def update(reason: str = "by hand") -> dict[str, Any]:
    """Take in what is new, train, and let the gate decide; never two at a time.

    A step that fails ends the run: what is champion stays champion.

    Args:
        reason: Why now; part of the run's name.

    Returns:
        `verdict`: what `promote` reported; `seconds`: time of each step.

    Raises:
        Busy: Another update is running.
        StepFailed: A step failed, after its retries.
    """
    with locked(PATHS.lock("update")) as lock:
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003  takes no keywords
        with audit.acting(audit.actor(otherwise=audit.FLOW)):
            audit.record(PATHS, "update")
        retries = params.load(PATHS.params).update.retries
        told: dict[str, Any] = {}
        names = [task.name for task in _STEPS]
        with progress.written(PATHS.update_progress, reason, names) as watched:
            for task in _STEPS:
                with progress.running(watched, task.name):
                    told[task.name] = task.with_options(retries=retries)()
            # Before the end is written down: who sees the end finds the outcome.
            return _record(reason, told["promote"], watched)


def _record(reason: str, verdict: Any, watched: progress.Progress) -> dict[str, Any]:
    seconds = {one.name: one.seconds for one in watched.steps}
    create_table_artifact(
        [{"step": name, "seconds": spent} for name, spent in seconds.items()], key="seconds"
    )
    outcome = {"reason": reason, "verdict": verdict, "seconds": seconds}
    write_json(PATHS.report("update.json"), outcome)
    return outcome


if __name__ == "__main__":
    try:
        with audit.acting(audit.actor()):
            done = update(*sys.argv[1:2])
    except FerError as error:
        sys.exit(f"update: {error}")
    print(f"{done['verdict']['verdict']}: {done['verdict']['reasons']}")  # noqa: T201  the answer
