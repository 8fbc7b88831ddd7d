"""What a benchmark started does not outlive it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

_STARTS_A_FAMILY = """
import signal, subprocess, sys
from benchmarks.soaking.server import ending
child = "import os, sys; os.fork(); os.setsid(); os.write(1, b'.'); sys.stdin.read()"
with ending():
    subprocess.Popen([sys.executable, "-c", child])
    signal.pause()
"""


def test_all_that_was_started_ends_with_a_benchmark_that_is_ended() -> None:
    # Nobody writes to the first pipe; the second one ends when nobody is left who could.
    unread, kept = os.pipe()
    reading, alive = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", _STARTS_A_FAMILY],
        cwd=Path(__file__).parents[2],
        stdin=unread,
        stdout=alive,
        process_group=0,
    ) as running:
        os.close(alive)
        told = b""
        while told != b"..":
            told += os.read(reading, 100)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 128 + signal.SIGTERM
        ended, _, _ = select.select([reading], [], [], 60)
        assert ended, "a child lives"
        assert os.read(reading, 1) == b""
    for descriptor in (unread, kept, reading):
        os.close(descriptor)
