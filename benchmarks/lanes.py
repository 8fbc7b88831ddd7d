"""Both lanes of an update, step by step: wall time, and processor time, which other work spares.

    python -m benchmarks.lanes [--data fer2013.csv] [--faces 200] [--lanes quick full]

Each runs in a clone of this checkout, as committed, where a first update has made all that a
later one finds. With `--data` the base is FER2013, the parent the shipped champion, and the new
faces are some of Training as an infrared camera shows them; without, all faces are drawn, and the
first champion is trained for two epochs. Required with FER2013: full lane 240 s, quick lane 30 s.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from benchmarks.robustness import seen
from benchmarks.stream.cameras import CAMERAS
from fer.data import fer2013_layouts, inbox, synthetic, table
from fer.paths import Paths

REPOSITORY: Final = Path(__file__).parents[1]
FIRST: Final = 20
"""Faces of the update that is not told; they are few because they stay new if it is refused."""
QUICK_BELOW: Final = {"quick": 1_000_000, "full": 0}
CAMERA: Final = "infrared"
PEOPLE: Final = 40


def prepare(root: Path, data: Path | None) -> Paths:
    """Make the checkout."""
    subprocess.run(["git", "clone", "--quiet", os.fspath(REPOSITORY), root], check=True)
    paths = Paths(root)
    settings = yaml.safe_load(paths.params.read_text("utf-8"))
    settings["train"] |= {"epochs": 2, "quick_below": QUICK_BELOW["quick"]}
    if data is not None:
        settings["base"] |= {"source": "fer2013", "path": os.fspath(data.resolve())}
    paths.params.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return paths


def choose(lane: str, paths: Paths) -> None:
    """Let the next update take `lane`."""
    settings = yaml.safe_load(paths.params.read_text("utf-8"))
    settings["train"]["quick_below"] = QUICK_BELOW[lane]
    paths.params.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


def hand_in(start: int, count: int, paths: Paths, data: Path | None) -> None:
    """Put `count` faces into the inbox, from the `start`-th on."""
    people = [f"person-{start}-{number}" for number in range(PEOPLE)]
    if data is None:
        each = -(-count // PEOPLE)
        drawn = synthetic.draw_faces(camera="window", subjects=people, per_subject=each, seed=1)
        inbox.put(paths.inbox, drawn.head(count))
        return
    found = fer2013_layouts.read(data, votes=False).rows
    chosen = np.flatnonzero(np.array(found.splits) == "train")[start : start + count]
    pixels = seen(found.pixels[chosen], CAMERAS[CAMERA])
    rows = zip(pixels, table.encode(pixels), np.array(found.labels)[chosen], strict=True)
    told = table.frame(
        {
            "id": table.face_id(face),
            "image": image,
            "label": label,
            "source": "import:benchmark",
            "domain": CAMERA,
            "subject": people[number % PEOPLE],
            "label_source": "human",
        }
        for number, (face, image, label) in enumerate(rows)
    )
    inbox.put(paths.inbox, told)


def update(root: Path) -> dict[str, Any]:
    """Run the flow of the checkout as its user does; return what it came to, and each step."""
    began = time.perf_counter(), _of_children()
    command = [sys.executable, "-m", "benchmarks.lanes", "--update"]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    spent = {"wall": time.perf_counter() - began[0], "processor": _of_children() - began[1]}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    steps = {name: sum(one[name] for one in told["steps"].values()) for name in spent}
    told["steps"]["flow and server"] = {name: spent[name] - steps[name] for name in spent}
    return {**told, "all": spent}


def watched() -> None:
    """Run the flow, and print its verdict and each step's seconds as the last line."""
    from pipelines import progress as told
    from pipelines.update import update as flow

    steps, running = {}, told.running

    @contextmanager
    def measured(progress: told.Progress, name: str) -> Iterator[told.Step]:
        began = time.perf_counter(), _of_children()
        with running(progress, name) as step:
            yield step
        now = time.perf_counter(), _of_children()
        steps[name] = {"wall": now[0] - began[0], "processor": now[1] - began[1]}

    told.running = measured
    verdict = flow("benchmark")["verdict"]
    print(json.dumps({"steps": steps, "verdict": verdict["verdict"], "why": verdict["reasons"]}))


def _of_children() -> float:
    """Processor seconds of the processes that this one has started, theirs too, and waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def tell(lane: str, told: dict[str, Any]) -> None:
    """Print a line a step."""
    print(f"{lane} lane: {told['verdict']} ({told['why'].splitlines()[0]})")
    for name, spent in {**told["steps"], "all": told["all"]}.items():
        print(f"  {name:16} {spent['wall']:6.1f} s   processor {spent['processor']:6.1f} s")
    sys.stdout.flush()


def main() -> None:
    """Measure, or run the update where a parent process asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="FER2013's csv, zip or folder")
    parser.add_argument("--faces", type=int, default=200)
    parser.add_argument("--lanes", nargs="+", choices=QUICK_BELOW, default=list(QUICK_BELOW))
    parser.add_argument("--update", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.update:
        watched()
        return
    for lane in arguments.lanes:
        with tempfile.TemporaryDirectory() as folder:
            paths = prepare(Path(folder) / "checkout", arguments.data)
            if arguments.data is not None:
                hand_in(0, FIRST, paths, arguments.data)
            update(paths.root)
            choose(lane, paths)
            hand_in(FIRST, arguments.faces, paths, arguments.data)
            tell(lane, update(paths.root))


if __name__ == "__main__":
    main()
