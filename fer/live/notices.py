"""A rollback is told to whom `update.notify` names; Prefect does so, in a process of its own."""

import subprocess
import sys

from fer import params
from fer.live.updates import environment
from fer.paths import Paths


def rolled_back(paths: Paths, before: int, after: int) -> None:
    """Tell that version `after` is champion again instead of `before`, where anybody is told."""
    if params.load(paths.params).update.notify is None:
        return
    text = f"Version {after} is champion again, version {before} no more."
    subprocess.Popen(
        [sys.executable, "-m", "pipelines.notices", "Champion rolled back", text],
        cwd=paths.root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
