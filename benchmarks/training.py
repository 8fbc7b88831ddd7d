"""Faces a second in training: ours beside the usual Keras way, the same network and batches.

    python -m benchmarks.training FER2013 [--faces 6000] [--epochs 3] [--turns 3]

The usual way: a folder of PNGs, `ImageDataGenerator`, float32. Each way trains in fresh
processes, in turns, on the first of Training's faces. The first epoch, in which TensorFlow traces
the network, does not count for the speed. `--faces 30000 --epochs 20 --turns 1` tells the time to
65 % on PublicTest, too, where a network of params.yaml gets there.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import keras
import pandas as pd

from fer.data import fer2013
from fer.emotions import EMOTIONS
from fer.model import networks
from fer.params import TrainParams, load
from fer.paths import Paths
from fer.training.batches import Monitor
from fer.training.callbacks import JudgeEpoch
from fer.training.fit import Plan, fit
from fer.training.learner import learner
from fer.training.schedules import warm_cosine

TRACED: Final = 1
"""Epochs that are not counted."""
WANTED: Final = 0.65


class Clock(keras.callbacks.Callback):
    """Note the seconds that each epoch trains, and what it reaches on PublicTest."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.accuracy: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Start."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Stop, if this was the last: what follows is judging."""
        self._ended = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Note how long it took, and what it reached."""
        self.seconds.append(self._ended - self._began)
        self.accuracy.append((logs or {})["monitor_accuracy"])


def ours(faces: pd.DataFrame, judged: pd.DataFrame, params: TrainParams, clock: Clock) -> None:
    """Train as the `train` step does."""
    model = learner(_network(params))
    plan = Plan(params.epochs, params.learning_rate, [clock])
    with tempfile.TemporaryDirectory() as checkpoint:
        fit(model, faces, Monitor.of(judged), params, plan, Path(checkpoint))


def usual(faces: pd.DataFrame, judged: pd.DataFrame, params: TrainParams, clock: Clock) -> None:
    """Train from a folder of PNGs, changed at random by Keras' own generator."""
    # TensorFlow comes without types.
    from tensorflow.keras.preprocessing import image  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        for emotion in EMOTIONS:
            (Path(folder) / emotion).mkdir()
        for number, (png, label) in enumerate(zip(faces["image"], faces["label"], strict=True)):
            (Path(folder) / label / f"{number}.png").write_bytes(png)
        shown = image.ImageDataGenerator(
            rotation_range=12,
            width_shift_range=4,
            height_shift_range=4,
            zoom_range=0.12,
            horizontal_flip=True,
        ).flow_from_directory(
            folder,
            target_size=(48, 48),
            color_mode="grayscale",
            classes=list(EMOTIONS),
            batch_size=params.batch_size,
            seed=params.seed,
        )
        model = _network(params)
        model.compile(
            keras.optimizers.AdamW(
                warm_cosine(params.learning_rate, params.epochs * len(shown)),
                weight_decay=params.weight_decay,
            ),
            "categorical_crossentropy",
            metrics=["accuracy"],
        )
        judge = JudgeEpoch(model, Monitor.of(judged))
        model.fit(shown, epochs=params.epochs, verbose=0, callbacks=[judge, clock])


WAYS: Final[dict[str, Callable[[pd.DataFrame, pd.DataFrame, TrainParams, Clock], None]]] = {
    "ours": ours,
    "usual": usual,
}


def _network(params: TrainParams) -> keras.Model:
    keras.utils.set_random_seed(params.seed)
    return networks.build(params.network, params.widths, params.dropout)


def measure(way: str, data: Path, count: int, epochs: int) -> None:
    """Train one way in this process; print as JSON what each epoch took and reached."""
    found = fer2013.load(data, labels="fer2013", keep_copies=True, validation_share=0.0, seed=1)
    faces = found.faces[found.faces["split"] == "train"].head(count)
    judged = found.faces[found.faces["split"] == "validation"]
    settings = load(Paths(Path(__file__).parents[1]).params).train
    params = settings.model_copy(update={"epochs": epochs, "patience": epochs})
    clock = Clock()
    WAYS[way](faces.assign(new=True, draw=1.0, weight=1.0), judged, params, clock)
    told = {"faces": len(faces), "seconds": clock.seconds, "accuracy": clock.accuracy}
    print(json.dumps(told))


def measure_apart(way: str, data: Path, count: int, epochs: int) -> dict[str, Any]:
    """Do as `measure` in a fresh process."""
    result = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.training", str(data), "--only", way),
            *("--faces", str(count), "--epochs", str(epochs)),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    measured: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return measured


def line(way: str, turns: list[dict[str, Any]]) -> str:
    """Tell of one way: faces a second, and when 65 % were reached."""
    last = turns[-1]
    reached = [number for number, one in enumerate(last["accuracy"], 1) if one >= WANTED]
    until = f"after {sum(last['seconds'][: reached[0]]):.0f} s" if reached else "not reached"
    return (
        f"{way:6} {_speed(turns):6.0f} faces/s   {WANTED:.0%} {until}   "
        f"last epoch {last['accuracy'][-1]:.1%}"
    )


def _speed(turns: list[dict[str, Any]]) -> float:
    return statistics.median(
        turn["faces"] / seconds for turn in turns for seconds in turn["seconds"][TRACED:]
    )


def main() -> None:
    """Run the comparison, or one way where a parent process asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--faces", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.data is None:
        print("needs FER2013: python -m benchmarks.training CSV")
        return
    asked = arguments.data, arguments.faces, arguments.epochs
    if arguments.only:
        measure(arguments.only, *asked)
        return
    turns = [{way: measure_apart(way, *asked) for way in WAYS} for _ in range(arguments.turns)]
    of = {way: [turn[way] for turn in turns] for way in WAYS}
    for way in WAYS:
        print(line(way, of[way]))
    print(f"ratio {_speed(of['ours']) / _speed(of['usual']):.2f}")


if __name__ == "__main__":
    main()
