"""The loop under faults: killed, out of disk or memory, cut off; then one plain re-run.

    python -m benchmarks.faults [--runs 300] [--first 0] [--seed 1] [--minutes 60] [--only POINT]

The real steps on a few drawn faces, in copies of a scratch checkout. Each run draws a point of the
loop, a fault and the moment: a file operation, counted in an undisturbed run, or a part of its
time. Steps run in children of this process, so that nothing is imported anew, and the stages
under DVC as the update runs them; the update itself is the real command. Required of each run:
what was acknowledged is there exactly once, every file that a step may read is whole, champion is
at most one version and one that the gate let through, and after the re-run the checkout is as
after an undisturbed run, no lock is held and nothing lives on. Of two at once one wins, and the
other waits or says who is at it. Linux alone; a user above permissions is refused.
"""

import argparse
import contextlib
import gc
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from benchmarks.faults.campaign import SHARES, Campaign, drawn
from benchmarks.faults.children import descendants
from benchmarks.faults.steps import load


@dataclass
class Tally:
    """Counts by point and fault, and what ended badly."""

    runs: Counter[tuple[str, str]] = field(default_factory=Counter)
    felt: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: int = 0
    waited: int = 0
    bad: list[str] = field(default_factory=list)


def main() -> int:
    """Run it; return 1 if a run ends badly."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="no run begins later")
    parser.add_argument("--only", choices=SHARES, help="this point alone")
    options = parser.parse_args()
    if _above_permissions():
        sys.exit(
            "Expected a user whom permissions bind, received root. Give up its powers: "
            "setpriv --bounding-set=-dac_override,-dac_read_search python -m benchmarks.faults"
        )
    with tempfile.TemporaryDirectory() as scratch:
        _quiet(scratch)
        with prefect_test_harness(server_startup_timeout=300):
            os.environ["PREFECT_API_URL"] = PREFECT_API_URL.value()
            load()
            campaign = Campaign(Path(scratch), descendants(os.getpid()))
            # What is collected is written to, and what is written to is copied in every child.
            gc.freeze()
            points = [options.only] if options.only else list(SHARES)
            campaign.prepare(points)
            tally = _played(campaign, points, options)
    print(f"\nRuns (of them felt by the step)\n{_table(tally)}")
    print(f"{tally.stopped} steps hung for want of room or memory, and were stopped")
    print(f"{tally.waited} re-runs were refused, by name, until what lived on had ended")
    print("\n".join([f"{len(tally.bad)} of {tally.runs.total()} ended badly", *tally.bad]))
    return 1 if tally.bad else 0


def _above_permissions() -> bool:
    with tempfile.TemporaryDirectory() as closed:
        Path(closed).chmod(0o555)
        return os.access(closed, os.W_OK)


def _quiet(scratch: str) -> None:
    os.environ.update(
        HOME=scratch, MPLCONFIGDIR=scratch, CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1",
        TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3",
    )  # fmt: skip


def _played(campaign: Campaign, points: list[str], options: argparse.Namespace) -> Tally:
    """Play until the runs, or the time, are spent."""
    tally, until = Tally(), time.monotonic() + 60 * options.minutes
    wanted = ((name, fault) for name, fault in drawn(options.seed) if name in points)
    chosen = itertools.islice(wanted, options.first, options.first + options.runs)
    with contextlib.suppress(KeyboardInterrupt):  # what was played until then is told
        for number, (name, fault) in enumerate(chosen, options.first):
            if time.monotonic() > until:
                break
            began = time.perf_counter()
            played = campaign.play(name, fault)
            tally.runs[name, fault.kind] += 1
            tally.felt[name, fault.kind] += played.felt
            tally.stopped += played.stopped
            tally.waited += played.waited
            spent = time.perf_counter() - began
            told = f"{number:4} {name:9} {fault.kind:17} {spent:6.1f} s"
            print(
                f"{told} {'felt' if played.felt else '    '} {played.wrong or 'well'}", flush=True
            )
            if played.wrong:
                print(played.log, flush=True)
                tally.bad.append(f"run {number}: {name}, {fault}: {'; '.join(played.wrong)}")
    return tally


def _table(tally: Tally) -> str:
    """Return counts per point and fault: runs, and in how many the step felt it."""
    kinds = sorted({kind for _, kind in tally.runs})
    lines = [f"{'':9}" + "".join(f"{kind:>18}" for kind in [*kinds, "all"])]
    for point in SHARES:
        cells = [(tally.runs[point, kind], tally.felt[point, kind]) for kind in kinds]
        cells.append((sum(runs for runs, _ in cells), sum(felt for _, felt in cells)))
        told = "".join(f"{f'{runs} ({felt})' if runs else '-':>18}" for runs, felt in cells)
        lines.append(f"{point:9}{told}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
