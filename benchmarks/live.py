"""Frames a second from picture to emotions: ours beside two well-known pipelines.

    python -m benchmarks.live [--film FILM] [--model ONNX] [--yunet ONNX] [--peers FOLDER]

Each way runs in fresh processes, in turns, over the same frames, 640 pixels wide: of the film,
else drawn ones. Processor time is of all threads; other work on the machine moves it less. The
peers find faces with OpenCV's default cascade in the full frame, and call Keras' `predict` for
each: with the settings of the `fer` library and of oarriaga/face_classification. Their networks
are not ours to ship: put `fer_lib_mini_xception.hdf5` (justinshenk/fer) and
`oarriaga_big_xception.hdf5` (oarriaga/face_classification) into one folder and name it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from fer.data import synthetic
from fer.faces import camera
from fer.paths import Paths

TURNS: Final = 3
FRAMES: Final = 28
SECONDS: Final = 6.0
"""A turn goes over the frames again until this time is over."""

Look = Callable[[camera.Frame], int]
"""A frame to the number of its faces, whose emotions were worked out."""


@dataclass(frozen=True)
class Peer:
    """Another's pipeline.

    Args:
        model: Its network.
        scale: By how much the cascade's window grows.
        smallest: Side of the smallest face, in pixels.
    """

    model: str
    scale: float
    smallest: int


PEERS: Final = {
    "fer library": Peer("fer_lib_mini_xception.hdf5", 1.1, 50),
    "oarriaga": Peer("oarriaga_big_xception.hdf5", 1.3, 0),
}
OURS: Final = ("ours, YuNet", "ours, Haar")


def ours(model: Path, yunet: Path | None) -> Look:
    """Prepare what the live page does with a frame, but for tracking and drawing."""
    from fer.faces.detect import Detector
    from fer.live.predictor import Predictor
    from fer.live.reading import read

    detector, predictor = Detector(yunet), Predictor.of_file(model)
    return lambda frame: len(read(frame, detector, predictor.probabilities))


def theirs(peer: Peer, folder: Path) -> Look:
    """Prepare a peer's pipeline: faces of 64 x 64, scaled to -1 to 1, one `predict` a face."""
    import keras

    cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_default.xml")
    network = keras.models.load_model(folder / peer.model, compile=False)

    def look(frame: camera.Frame) -> int:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        smallest = (peer.smallest, peer.smallest)
        boxes = cascade.detectMultiScale(grey, peer.scale, 5, minSize=smallest)
        for x, y, width, height in boxes:
            face = cv2.resize(grey[y : y + height, x : x + width], (64, 64))
            network.predict((face[None, ..., None] / 255 - 0.5) * 2, verbose=0)
        return len(boxes)

    return look


def frames_of(film: Path | None) -> list[camera.Frame]:
    """Return `FRAMES` frames, 640 pixels wide: of the film, or of drawn people."""
    if film is None:
        people = [f"p{number}" for number in range(-(-FRAMES // 7))]
        drawn = synthetic.draw_frames(camera="studio", subjects=people, per_subject=7, seed=1)
        return [one.image for one in islice(drawn, FRAMES)]
    with closing(camera.frames(str(film))) as found:
        return [_narrowed(frame) for frame in islice(found, FRAMES)]


def _narrowed(frame: camera.Frame) -> camera.Frame:
    height = round(frame.shape[0] * 640 / frame.shape[1])
    return np.asarray(cv2.resize(frame, (640, height), interpolation=cv2.INTER_AREA), np.uint8)


def measure(look: Look, film: Path | None) -> dict[str, float]:
    """Return what one turn takes, without the time to prepare."""
    frames = frames_of(film)
    for frame in frames[:5]:  # Keras compiles, caches fill.
        look(frame)
    seen = faces = 0
    began, used = time.perf_counter(), time.process_time()
    while (spent := time.perf_counter() - began) < SECONDS:
        faces += look(frames[seen % len(frames)])
        seen += 1
    cpu_ms = 1000 * (time.process_time() - used) / seen
    return {"fps": seen / spent, "cpu_ms": cpu_ms, "faces": faces / seen}


def apart(way: str) -> dict[str, float]:
    """Do as `measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.live", *sys.argv[1:], "--only", way]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def compare(ways: list[str], film: Path | None) -> None:
    """Print a line a way, and how many times faster ours are."""
    turns = [{way: apart(way) for way in ways} for _ in range(TURNS)]
    median = {
        way: {name: statistics.median(turn[way][name] for turn in turns) for name in turns[0][way]}
        for way in ways
    }
    peers = [way for way in ways if way in PEERS]
    print(f"{film.name if film else 'drawn frames'}, 640 pixels wide, median of {TURNS} turns")
    print(
        f"{'':14} {'frames/s':>9} {'least-most':>13} {'cpu ms/frame':>13} {'faces/frame':>12}",
        end="",
    )
    print("".join(f"{f'x {peer}':>16}" for peer in peers))
    for way in ways:
        each = [turn[way]["fps"] for turn in turns]
        spread = f"{min(each):.1f}-{max(each):.1f}"
        one = median[way]
        print(
            f"{way:14} {one['fps']:9.1f} {spread:>13} {one['cpu_ms']:13.1f} {one['faces']:12.2f}"
            + "".join(f"{one['fps'] / median[peer]['fps']:16.1f}" for peer in peers)
        )


def chosen(options: argparse.Namespace) -> list[str]:
    """Return the ways that can be measured, and say which cannot."""
    there = {
        OURS[0]: options.yunet is not None and options.yunet.is_file(),
        OURS[1]: True,
        **{name: (options.peers / peer.model).is_file() for name, peer in PEERS.items()},
    }
    for way, can in there.items():
        if not can:
            print(f"{way}: left out, its model is not there; see --help")
    return [way for way, can in there.items() if can]


def main() -> int:
    """Run the comparison, or one way where a parent process asks for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--film", type=Path, help="default: drawn frames, a face in each")
    parser.add_argument("--model", type=Path, help="default: the checkout's last candidate")
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file")
    parser.add_argument("--peers", type=Path, default=Path("models/peers"))
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.model or Paths.find(Path.cwd()).candidate
    if not model.is_file():
        print(f"Expected a model at {model}, found none. Run `make demo`, or give --model.")
        return 0
    if not options.only:
        compare(chosen(options), options.film)
        return 0
    way = options.only
    look: Any = (
        theirs(PEERS[way], options.peers)
        if way in PEERS
        else ours(model, options.yunet if way == OURS[0] else None)
    )
    print(json.dumps(measure(look, options.film)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
