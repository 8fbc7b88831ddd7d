"""How far the running update is, in a file that anybody may watch.

Prefect knows it too, but only while its server runs, and the page must not depend on it.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fer.files import write_json
from fer.records import now


@dataclass
class Step:
    """One step of the update.

    Args:
        name: Such as "ingest".
        state: "waiting", "running", "done" or "failed".
        began: Seconds since 1970; None: it has not begun.
        seconds: How long it took; None: it has not ended.
    """

    name: str
    state: str = "waiting"
    began: float | None = None
    seconds: float | None = None


@dataclass
class Progress:
    """One run of the update.

    Args:
        file: Where it is written down.
        reason: Why the update runs.
        steps: In their order.
        began: Seconds since 1970.
        ended: Likewise; None: it runs, or was killed.
        error: Why it ended early.
    """

    file: Path
    reason: str
    steps: list[Step]
    began: float = field(default_factory=lambda: now().timestamp())
    ended: float | None = None
    error: str | None = None

    def step(self, name: str) -> Step:
        """Return the step `name`."""
        return next(one for one in self.steps if one.name == name)

    def write(self) -> None:
        """Replace the file."""
        told = asdict(self)
        del told["file"]
        write_json(self.file, told)


@contextmanager
def written(file: Path, reason: str, steps: Iterable[str]) -> Iterator[Progress]:
    """Yield a record of a run, and write its beginning and its end, also of one that fails."""
    progress = Progress(file, reason, [Step(name) for name in steps])
    progress.write()
    try:
        yield progress
    except BaseException as error:
        progress.error = str(error) or type(error).__name__
        raise
    finally:
        progress.ended = now().timestamp()
        progress.write()


@contextmanager
def running(progress: Progress, name: str) -> Iterator[Step]:
    """Write down that a step begins, and how it ends."""
    step = progress.step(name)
    step.state, step.began = "running", now().timestamp()
    progress.write()
    began = time.perf_counter()
    try:
        yield step
        step.state = "done"
    except BaseException:
        step.state = "failed"
        raise
    finally:
        step.seconds = round(time.perf_counter() - began, 1)
        progress.write()
