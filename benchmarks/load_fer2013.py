"""FER2013's csv to arrays: our parser beside pandas with numpy.

    python -m benchmarks.load_fer2013 [CSV]

Each way runs in fresh processes, in turns; the first reading of the file is not counted.
Without a csv it makes one of FER2013's size from random pixels.
"""

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

REPEATS: Final = 5
ROWS: Final = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}


def ours(csv: Path) -> Callable[[], NDArray[np.uint8]]:
    """Prepare `fer2013_csv.read`; the result has shape `(n, 48, 48)`."""
    from fer.data import fer2013_csv

    def parse() -> NDArray[np.uint8]:
        with csv.open("rb") as stream:
            return fer2013_csv.read(stream, csv.name).pixels

    return parse


def pandas_numpy(csv: Path) -> Callable[[], NDArray[np.uint8]]:
    """Prepare the common way; the result has shape `(n, 48, 48)`."""
    import pandas as pd

    def parse() -> NDArray[np.uint8]:
        pixels = pd.read_csv(csv)["pixels"]
        faces = [np.fromstring(row, dtype=np.uint8, sep=" ") for row in pixels]
        return np.stack(faces).reshape(-1, 48, 48)

    return parse


def ours_to_table(csv: Path) -> Callable[[], None]:
    """Prepare the whole loading: ids, faults, PNG and table too."""
    from fer.data import fer2013

    def parse() -> None:
        fer2013.load(csv, votes=False, keep_copies=False)

    return parse


WAYS: Final[dict[str, Callable[[Path], Callable[[], Any]]]] = {
    "ours": ours,
    "pandas + np.fromstring": pandas_numpy,
    "ours, to a face table": ours_to_table,
}


def measure(way: str, csv: Path) -> dict[str, Any]:
    """Run one way in this process: seconds without imports, peak memory, digest of the pixels."""
    parse = WAYS[way](csv)
    start = time.perf_counter()
    faces = parse()
    seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    digest = "" if faces is None else hashlib.sha256(faces).hexdigest()
    return {"seconds": seconds, "peak_mib": peak_mib, "digest": digest}


def measure_apart(way: str, csv: Path) -> dict[str, Any]:
    """Do as `measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.load_fer2013", str(csv), "--only", way]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(result.stdout)
    return measured


def write_random(csv: Path) -> None:
    """Write a csv of FER2013's size, a row at a time: a child's peak starts at its parent's."""
    rng = np.random.default_rng(0)
    with csv.open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for usage, count in ROWS.items():
            for _ in range(count):
                pixels = " ".join(map(str, rng.integers(256, size=48 * 48).tolist()))
                file.write(f"{rng.integers(7)},{pixels},{usage}\n")


def compare(csv: Path) -> None:
    """Print a line a way, and the ratio of the first two."""
    measure_apart("ours", csv)  # The file comes into the system's cache.
    turns = [{way: measure_apart(way, csv) for way in WAYS} for _ in range(REPEATS)]
    digests = {turn[way]["digest"] for turn in turns for way in WAYS} - {""}
    if len(digests) != 1:
        raise SystemExit(f"Expected the same pixels from every way, received {digests}")
    seconds = {way: statistics.median(turn[way]["seconds"] for turn in turns) for way in WAYS}
    print(f"{csv.name}, {csv.stat().st_size / 1e6:.0f} MB, median of {REPEATS}, the same pixels")
    for way in WAYS:
        peak_mib = max(turn[way]["peak_mib"] for turn in turns)
        print(f"{way:24} {seconds[way]:6.2f} s   peak {peak_mib:5.0f} MiB")
    print(f"ratio {seconds['pandas + np.fromstring'] / seconds['ours']:.1f}")


def main() -> None:
    """Run the comparison, or one way where a parent process asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path, nargs="?")
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.csv)))
    elif arguments.csv:
        compare(arguments.csv)
    else:
        with tempfile.TemporaryDirectory() as folder:
            csv = Path(folder) / "random.csv"
            write_random(csv)
            compare(csv)


if __name__ == "__main__":
    main()
