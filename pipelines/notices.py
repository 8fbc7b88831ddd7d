"""Notices: a Prefect notification block hears of what a person should know.

Which block, `update.notify` in params.yaml says; null: none, and nothing is loaded or sent.
`python -m pipelines.notices SUBJECT TEXT` tells one, as a rollback does; it is also the way to try
a block.
"""

import logging
import sys
from typing import Any, Final

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from fer import params
from fer.errors import Busy
from pipelines.commands import StepRefused
from pipelines.tasks import PATHS

_MOST: Final = 1000
"""Characters of a text: an output's tail is for the log."""

# Prefect's own loggers reach the run, where there is one, and the terminal.
_log = logging.getLogger("prefect.notices")


def tell(subject: str, text: str) -> None:
    """Send it; what fails is logged, and harms nothing."""
    name = params.load(PATHS.params).update.notify
    if name is None:
        return
    try:
        block = load(name)
        with block.raise_on_failure():
            block.notify(text[:_MOST], subject)
    # Each kind of block has errors of its own.
    except Exception as error:  # noqa: BLE001
        _log.warning("Nobody was told %r. The block %s failed: %s", subject, name, error)


def load(name: str) -> Any:
    """Return the notification block `name`, such as "slack-webhook/ops"."""
    # Registers the kinds of block that Prefect brings.
    import prefect.blocks.notifications  # noqa: F401
    from prefect.blocks.core import Block

    return Block.load(name)


def failed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001  Prefect's signature
    """Tell that an update ended early; a hook of the flow."""
    failure = state.result(raise_on_failure=False)
    if isinstance(failure, Busy):
        return
    subject = "A step refused its input" if isinstance(failure, StepRefused) else "Update failed"
    tell(subject, f"{failure}\nThe champion stays as it was.")


if __name__ == "__main__":
    tell(*sys.argv[1:3])
