"""A stream of cameras learnt one after another: what is gained, what is forgotten, how fast.

    python -m benchmarks.continual --data fer2013.csv [--model champion.keras] [--out FOLDER]

The base model knows FER2013's Training. Six cameras follow, each shown by faces of PublicTest
that no other camera shows. The same other PublicTest faces, seen by every camera, tell the
accuracy; they are no near-copies of a face that is learnt. From the same base model, with as many
faces shown in an update as ours is, but for joint:

- none: no update;
- fine-tuning: new faces alone;
- replay: half of what is shown is new, half drawn evenly from all that is known (Chaudhry et al.
  2019, On Tiny Episodic Memories in Continual Learning);
- GDumb: once, in the end, from random weights, on a memory of `balance.replay_cap` faces, even
  over domains and emotions (Prabhu et al. 2020);
- ours: from the base model each time, the faces of this camera and of those before, as `balance`
  draws and `train` learns them with params.yaml; it has no gate, and needs none between updates
  that do not build on each other;
- ours, quick: the same faces, shown for one epoch (`train.quick_below`);
- joint: once, in the end, from random weights on all faces of base and cameras, as the shipped
  champion was trained (`fer/shipped/recipe.yaml`, with FER+'s votes where `fer2013new.csv` lies
  beside the csv): the usual upper bound.

Each way runs in a fresh process, which tells its peak memory, and its processor time, which other
work on the machine does not change as it does the clock's. The measures are in
`benchmarks.stream.measures`; continual.json has all of them after every update.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from benchmarks.stream.cameras import CAMERAS
from benchmarks.stream.faces import BASE, Stream, stream
from benchmarks.stream.measures import Accuracy, gains, measures, plot
from fer import params as settings
from fer.data import replay
from fer.data.balance import choose
from fer.params import Params, TrainParams
from fer.paths import SHIPPED_RECIPE

NAMES: Final = [BASE, *CAMERAS]
WAYS: Final = ("none", "fine-tuning", "replay", "GDumb", "ours", "ours, quick", "joint")
AT_ONCE: Final = ("GDumb", "joint")
"""Ways that learn all cameras in one update, in the end."""


def lesson(
    way: str, known: pd.DataFrame, new: pd.DataFrame, params: Params, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the training table of one update, `draw` as `balance` writes it.

    Args:
        way: One of `WAYS`.
        known: The base, and the faces of lessons before.
        new: Of this lesson.
        params: Of the product.
        rng: Source of the draw.
    """
    faces = pd.concat([known, new], ignore_index=True)
    if way == "joint":
        return faces.assign(new=True, draw=1.0, weight=1.0)
    faces["new"] = faces["domain"] != BASE  # to the model that ours starts from
    cap = len(faces) if way == "GDumb" else params.balance.replay_cap
    balanced = params.balance.model_copy(update={"replay_cap": cap})
    ours = choose(faces, balanced, rng, updating=True)
    shown = ours["draw"].sum()
    if way == "fine-tuning":
        return new.assign(new=True, draw=shown / len(new), weight=1.0)
    if way == "replay":
        count = min(len(known), round(shown / 2))
        rehearsed = known.iloc[rng.permutation(len(known))[:count]].assign(new=False)
        drawn = pd.concat([rehearsed, new.assign(new=True)], ignore_index=True).assign(weight=1.0)
        return drawn.assign(draw=shown / 2 / drawn.groupby("new")["new"].transform("size"))
    if way == "GDumb":
        cells = faces.assign(domain=faces["domain"] + "/" + faces["label"])
        memory = faces.iloc[replay.choose(cells, params.balance.replay_cap, rng)]
        return memory.assign(new=True, draw=shown / len(memory), weight=1.0)
    return ours


def started(model_file: Path, params: Params, *, random: bool) -> Any:
    """Return the base model as a training of the product builds it, or one of random weights."""
    import keras

    from fer.model import networks
    from fer.training.learner import learner

    parent = networks.load(model_file)
    network, *widths = parent.name.split("-")
    keras.utils.set_random_seed(params.train.seed)
    shape = network, [int(width) for width in widths], params.train.dropout
    model = networks.build(*shape)
    if not random:
        model.set_weights(parent.get_weights())
    return learner(model)


def measured(
    model: Any, held: Stream, update: str, spent: tuple[float, float], shown: float
) -> dict[str, Any]:
    """Return a row: accuracy by camera, seconds, faces shown, and the peak memory until now."""
    accuracy = {}
    for name, faces in held.pixels.items():
        told = model.predict(faces[..., None].astype(np.float32), batch_size=256, verbose=0)
        accuracy[name] = float((told.argmax(axis=1) == held.truth).mean())
    row = {
        "update": update,
        "accuracy": accuracy,
        "seconds": spent[0],
        "processor_seconds": spent[1],
        "shown": shown,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(row, file=sys.stderr, flush=True)
    return row


def plan_of(way: str, params: Params) -> Any:
    """Return the `Plan` of `way`: how long it learns, and how boldly."""
    from fer.training.fit import Plan

    train = params.train
    if way == "joint":
        return Plan(train.epochs, train.learning_rate)
    if way == "GDumb":
        return Plan(train.update_epochs, train.learning_rate)
    epochs = 1 if way == "ours, quick" else train.update_epochs
    return Plan(epochs, train.update_learning_rate, update=way.startswith("ours"))


def run(way: str, model_file: Path, held: Stream, params: Params) -> list[dict[str, Any]]:
    """Learn the stream one way; one row an update, the base's first."""
    from fer.training.batches import Monitor
    from fer.training.fit import fit
    from fer.training.update import update

    model = started(model_file, params, random=False)
    lines = [measured(model, held, BASE, (0.0, 0.0), 0.0)]
    steps = [[*CAMERAS]] if way in AT_ONCE else [[name] for name in CAMERAS if way != "none"]
    if way in AT_ONCE:
        model = started(model_file, params, random=True)
    # The votes are part of how the base model was trained, and of no update.
    known = held.known if way == "joint" else held.known.assign(votes=None)
    plan, begun, names = plan_of(way, params), model.get_weights(), [BASE]
    for step in steps:
        began = time.perf_counter(), time.process_time()
        new = pd.concat([held.lessons[name] for name in step], ignore_index=True)
        names += step
        judged = step if way == "fine-tuning" else names
        held_out = pd.concat([held.monitors[name] for name in judged], ignore_index=True)
        rng = np.random.default_rng([params.train.seed, len(names)])
        taught = lesson(way, known, new, params, rng)
        with tempfile.TemporaryDirectory() as folder:
            train, checkpoint = params.train, Path(folder)
            if plan.update:
                model.set_weights(begun)
                history = update(model, taught, held_out, train, plan, checkpoint).history
            else:
                monitor = Monitor.of(held_out)
                history = fit(model, taught, monitor, train, plan, checkpoint)
        known = pd.concat([known, new], ignore_index=True)
        spent = time.perf_counter() - began[0], time.process_time() - began[1]
        shown = len(history) * float(taught["draw"].sum())
        lines.append(measured(model, held, step[-1], spent, shown))
    return lines


def measure_apart(way: str, seed: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Do as `run` in a fresh process; this one stays small, for a child's peak starts at it."""
    passed = {"only": way, "seed": seed} | {
        name: getattr(arguments, name) for name in ("data", "model", "faces", "judges", "epochs")
    }
    command = [sys.executable, "-m", "benchmarks.continual"]
    command += [part for name, value in passed.items() for part in (f"--{name}", str(value))]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    lines: list[dict[str, Any]] = json.loads(result.stdout.splitlines()[-1])
    return lines


def only(arguments: argparse.Namespace) -> None:
    """Run one way with one seed, and print its rows as the last line."""
    params = settings.load(Path("params.yaml"))
    train = params.train
    if arguments.only == "joint":
        recipe = yaml.safe_load(SHIPPED_RECIPE.read_text("utf-8"))
        train = TrainParams.model_validate_json(json.dumps(recipe["train"]))
    changed = {"update_epochs": arguments.epochs, "seed": arguments.seed}
    params = params.model_copy(update={"train": train.model_copy(update=changed)})
    held = stream(
        *(arguments.data, arguments.faces, arguments.judges, arguments.seed),
        monitor_share=params.balance.monitor_share,
    )
    print(json.dumps(run(arguments.only, arguments.model, held, params)))


def tell(runs: dict[str, list[list[dict[str, Any]]]], out: Path) -> None:
    """Print a line a way, on the mean over seeds; write every figure and the plot."""
    told = {
        way: [
            np.array([[line["accuracy"][name] for name in NAMES] for line in lines])
            for lines in seeds
        ]
        for way, seeds in runs.items()
    }
    for way in runs.keys() - set(AT_ONCE):
        for lines, accuracy in zip(runs[way], told[way], strict=True):
            for update, line in enumerate(lines):
                line["measures"] = asdict(measures(accuracy, update))
    (out / "continual.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    plot({way: np.mean(each, axis=0) for way, each in told.items()}, NAMES, out / "continual.png")
    for way, seeds in runs.items():
        said = pd.DataFrame([
            line_of(lines, accuracy, bound)
            for lines, accuracy, bound in zip(
                seeds, told[way], told.get("joint", told[way]), strict=True
            )
        ]).mean()  # fmt: skip
        if way == next(iter(runs)):
            print("| " + " | ".join(["way", *said.index]) + f" |\n|---{'|---' * len(said)}|")
        cells = ["" if np.isnan(value) else f"{value:.1f}" for value in said]
        print("| " + " | ".join([way, *cells]) + " |", flush=True)


def line_of(lines: list[dict[str, Any]], accuracy: Accuracy, bound: Accuracy) -> dict[str, float]:
    """Return what a run came to: percents and points, and the means of its updates."""
    last, costs = lines[-1].get("measures", {}), pd.DataFrame(lines[1:] or lines)
    parts = pd.Series(100 * gains(accuracy, bound))  # whose mean leaves out what is none
    return {
        "average": 100 * accuracy[-1].mean(),
        "base": 100 * accuracy[-1, 0],
        "% of joint's gain": parts.mean(),
        "the same, least": parts.min(),
        "backward": 100 * last.get("backward", float("nan")),
        "forward": 100 * last.get("forward", float("nan")),
        "faces shown": costs["shown"].mean(),
        "s an update": costs["seconds"].mean(),
        "processor s": costs["processor_seconds"].mean(),
        "peak MiB": costs["peak_mib"].max(),
    }


def compare(arguments: argparse.Namespace) -> None:
    """Run every way with every seed, and tell what came out."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    seeds = range(1, arguments.seeds + 1)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        begun = {
            way: [pool.submit(measure_apart, way, seed, arguments) for seed in seeds]
            for way in arguments.ways
        }
        runs = {way: [each.result() for each in many] for way, many in begun.items()}
    tell(runs, arguments.out)


def main() -> None:
    """Run the comparison, or one way where a parent process asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="FER2013's csv, zip or folder")
    parser.add_argument("--model", type=Path, default=Path("fer/shipped/champion.keras"))
    parser.add_argument("--out", type=Path, default=Path("reports"), help="for JSON and PNG")
    parser.add_argument("--faces", type=int, default=200, help="to learn of each camera")
    parser.add_argument("--judges", type=int, default=1000, help="PublicTest faces that judge")
    parser.add_argument("--epochs", type=int, default=4, help="train.update_epochs")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--jobs", type=int, default=1, help="ways at a time")
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.data is None:
        print("needs FER2013: python -m benchmarks.continual --data CSV")
    elif arguments.only:
        only(arguments)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
