"""Ingest of 10,000 faces: seconds and memory, each case in a fresh process and checkout.

    python -m benchmarks.ingest [FACES]

Required: less than 60 seconds and 1 GiB.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fer import params
from fer.data import inbox, table, version
from fer.data.ingest import ingest
from fer.emotions import EMOTIONS
from fer.paths import Paths
from fer.records import SIZE, DataVersion

MAX_SECONDS: Final = 60
MAX_MIB: Final = 1024

REPOSITORY: Final = Path(__file__).parents[1]

CASES: Final = {
    "one item a face": (1, "people"),
    "one item": (None, "people"),
    "one item, nobody named": (None, "nobody"),
    "one item, a film of one person": (None, "film"),
}
"""Faces an item (None: all), and of whom."""


def draw(count: int, whom: str) -> pd.DataFrame:
    """Return faces of random light: of 100 people, of nobody named, or almost all the same."""
    rng = np.random.default_rng(0)
    grain = rng.normal(scale=4, size=(count, SIZE, SIZE))
    scenes = rng.normal(scale=40, size=(1 if whom == "film" else count, 6, 6))
    light = np.kron(scenes, np.ones((SIZE // 6, SIZE // 6)))
    pixels = (128 + light + grain).clip(0, 255).astype(np.uint8)
    return table.frame(
        {
            "id": table.face_id(face),
            "image": image,
            "label": EMOTIONS[number % len(EMOTIONS)],
            "source": "import:benchmark",
            "domain": "benchmark",
            "subject": f"person-{number % 100}" if whom == "people" else None,
            "label_source": "human",
        }
        for number, (face, image) in enumerate(zip(pixels, table.encode(pixels), strict=True))
    )


def prepare(root: Path, count: int, case: str) -> None:
    """Make a checkout with a full inbox."""
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = false\n")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, root)
    paths = Paths(root)
    version.write(paths.version, DataVersion())
    size, whom = CASES[case]
    faces = draw(count, whom)
    for start in range(0, count, size or count):
        inbox.put(paths.inbox, faces[start : start + (size or count)])


def measure(root: Path) -> dict[str, float]:
    """Ingest in this process; return the seconds and the most memory it had."""
    paths = Paths(root)
    started = time.perf_counter()
    report = ingest(params.load(paths.params).ingest, paths, lambda _: None)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "peak_mib": peak / (2**20 if sys.platform == "darwin" else 1024),
        "added": report.added,
    }


def apart(*arguments: str) -> str:
    """Run this module in a fresh process; return the last line it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", *arguments],
        cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip().rpartition("\n")[2]


def compare(count: int) -> int:
    """Print a line a case; return 1 if one misses what is required."""
    missed = 0
    print(f"{count:,} faces; required: < {MAX_SECONDS} s, < {MAX_MIB} MiB")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = f"{folder}/checkout"
            apart(str(count), "--prepare", root, "--case", case)
            first, again = (json.loads(apart("--measure", root)) for _ in range(2))
        print(
            f"{case:32} {first['seconds']:6.1f} s   peak {first['peak_mib']:5.0f} MiB   "
            f"{first['added']:.0f} added; nothing new: {again['seconds']:.1f} s"
        )
        missed |= first["seconds"] >= MAX_SECONDS or first["peak_mib"] >= MAX_MIB
    return int(missed)


def main() -> int:
    """Run the comparison, or the part that a parent process asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=int, nargs="?", default=10_000)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare:
        prepare(arguments.prepare, arguments.faces, arguments.case)
    elif arguments.measure:
        print(json.dumps(measure(arguments.measure)))
    else:
        return compare(arguments.faces)
    return 0


if __name__ == "__main__":
    sys.exit(main())
