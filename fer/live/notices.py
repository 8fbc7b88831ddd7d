"""A rollback is told to whom `update.notify` names; Prefect does so, in a process of its own."""

import logging
import subprocess
import sys

from fer import params
from fer.errors import ParamsError
from fer.live.updates import environment
from fer.paths import Paths

_log = logging.getLogger(__name__)


def rolled_back(paths: Paths, before: int, after: int) -> None:
    """Tell that version `after` is champion again instead of `before`, where anybody is told."""
    try:
        named = params.load(paths.params).update.notify
    except ParamsError as error:
        # The rollback is done, and must not look as if it were not.
        _log.warning("Nobody was told of the rollback: %s", error)
        return
    if named is None:
        return
    text = f"Version {after} is champion again, version {before} no more."
    subprocess.Popen(
        [sys.executable, "-m", "pipelines.notices", "Champion rolled back", text],
        cwd=paths.root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
