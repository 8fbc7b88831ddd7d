"""The watch flow: updates when enough new faces wait. `python -m pipelines.watch` looks once."""

import os
import subprocess
import sys

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from fer import params
from fer.data import inbox
from fer.files import read_json, write_json
from fer.records import LOST, SHIFTED
from pipelines import notices
from pipelines.commands import environment
from pipelines.tasks import PATHS
from pipelines.update import update


@flow(name="watch")
def watch() -> State[None]:
    """Update if enough faces wait, or if the stages are out of date: an update was cut short.

    Fewer faces are enough where those before a camera have shifted. Before all that, a champion
    that reads worse than the one before gives its place back.
    """
    _roll_back()
    settings = params.load(PATHS.params)
    wanted = settings.update.min_new_faces
    waiting = inbox.count(PATHS.inbox)
    shifted = _shifted()
    if shifted and settings.drift.min_new_faces is not None:
        wanted = min(wanted, settings.drift.min_new_faces)
    if waiting >= wanted:
        reason = f"{waiting} new faces{', and cameras have shifted' if shifted else ''}"
    elif _failed_on_this():
        told = "the last update failed, and neither data version nor settings changed since"
        get_run_logger().warning(told)
        return Completed(message=told)
    elif _unfinished():
        reason = "stages are out of date"
    else:
        told = f"nothing to do: {waiting} new faces, waiting for {wanted}"
        get_run_logger().info(told)
        return Completed(message=told)
    outcome = update(reason)
    return Completed(message=f"{reason}: {outcome['verdict']['verdict']}")


def _roll_back() -> None:
    """Take the champion's place if people's votes say so; the log and a notice have them then."""
    # Asking would make a registry where there is none.
    if not PATHS.registry.is_file() and not os.environ.get("MLFLOW_TRACKING_URI"):
        return
    heading = "The champion lost its place"
    found = _asked(LOST, heading, "models", "feedback", "--act")
    if found.returncode == LOST:
        notices.tell(heading, found.stdout)


def _shifted() -> bool:
    """Whether faces before a camera have shifted; if so, the log says which and how."""
    if not PATHS.seen.is_file():
        return False
    heading = "Faces have shifted. Label some, as they come, with the answers hidden"
    found = _asked(SHIFTED, heading, "drift")
    if found.returncode == SHIFTED:
        _tell_once(found.stdout)
    elif not found.returncode:
        PATHS.shifts_told.unlink(missing_ok=True)
    return found.returncode == SHIFTED


def _asked(status: int, heading: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the product; where it ends with `status` the log has what it printed."""
    asked = [sys.executable, "-m", "fer", *command]
    found = subprocess.run(
        asked, cwd=PATHS.root, env=environment(), capture_output=True, text=True, check=False
    )
    if found.returncode == status:
        get_run_logger().warning("%s:\n%s", heading, found.stdout)
    elif found.returncode:
        get_run_logger().warning("`fer %s` failed:\n%s", " ".join(command), found.stderr)
    return found


def _tell_once(found: str) -> None:
    """Send a notice of shifts that none was sent of: a shift lasts, and `watch` looks often."""
    # A line a camera and measure, which it begins with.
    shifts = [line[:32].strip() for line in found.splitlines() if line.endswith("shifted")]
    told = read_json(PATHS.shifts_told) if PATHS.shifts_told.is_file() else []
    if {*shifts} - {*told}:
        notices.tell("Faces before a camera have shifted", found)
    write_json(PATHS.shifts_told, shifts)


def _failed_on_this() -> bool:
    """Whether an update would only fail again; `update` itself still may be asked to."""
    if not PATHS.update_progress.is_file():
        return False
    last = read_json(PATHS.update_progress)
    changed = max(path.stat().st_mtime for path in (PATHS.version, PATHS.params))
    return last["error"] is not None and changed < (last["ended"] or 0)


def _unfinished() -> bool:
    """`evaluate` and all before it are up to date after every update that reached its gate."""
    asked = [sys.executable, "-m", "dvc", "status", "--quiet", "evaluate"]
    return subprocess.run(asked, cwd=PATHS.root, check=False).returncode != 0


if __name__ == "__main__":
    watch()
