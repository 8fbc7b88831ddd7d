"""A stream of cameras learnt one after another: what is gained, what is forgotten, how fast.

    python -m benchmarks.continual --data fer2013.csv [--model champion.keras] [--out FOLDER]

The base model knows FER2013's Training. Six cameras follow, each shown by faces of PublicTest
that no other camera shows. The same other PublicTest faces, seen by every camera, tell the
accuracy; they are no near-copies of a face that is learnt. Compared from the same base model, with
as many faces shown in all of a stream:

- none: no update;
- fine-tuning: new faces alone;
- replay: all faces that are known, drawn evenly, half of what is shown (Chaudhry et al. 2019,
  On Tiny Episodic Memories in Continual Learning);
- ours: what `balance` draws and `fit` learns with params.yaml;
- ours, quick: the same faces, learnt by the last block and the head (`train.quick_below`);
- joint: all cameras at once, half of what is shown, as an upper bound.

All learn with `training.fit` at `train.update_learning_rate`. Each way runs in a fresh process,
which tells its peak memory. The other figures are of the accuracy R[t, i] on camera i after update
t, where camera 0 is the base: backward transfer is the mean of R[T, i] - R[i, i] over i < T,
forward transfer that of R[i-1, i] - R[0, i] over i > 1, what other lessons gave before the own one
(Lopez-Paz & Ranzato 2017, Gradient Episodic Memory; they subtract random weights' accuracy),
forgetting the mean of max R[t, i], t < T, - R[T, i] over i < T (Chaudhry et al. 2018, Riemannian
Walk).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.robustness import Change, seen
from fer import params as settings
from fer.data import fer2013_layouts, near_copies, table
from fer.data.balance import choose
from fer.emotions import INDEX
from fer.params import Params
from fer.records import SIZE

COPY: Final = 0.95
BASE: Final = "base"
WAYS: Final = ("none", "fine-tuning", "replay", "ours", "ours, quick", "joint")
MONITOR: Final = 60
"""Faces of each camera, and of the base, that decide which epoch is best."""


def dark(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A tenth of the light, amplified: coarse steps and the sensor's noise."""
    told = np.round(face / 10 + rng.normal(0, 1.2, face.shape))
    return np.asarray(told * 6, np.float32)


def side_lit(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A lamp on one side: the other has a twelfth of its light, and what is near it is white."""
    fall = np.linspace(1.7, 0.08, SIZE) ** 1.5
    light = fall if rng.random() < 0.5 else fall[::-1]
    return np.asarray(face * light + rng.normal(0, 4, face.shape), np.float32)


def far(face: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
    """A face of 16 x 16 pixels in a JPEG of quality 25."""
    small = cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA)
    packed = cv2.imencode(".jpg", small.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    opened = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    return np.asarray(cv2.resize(opened, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def wide_angle(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A wide lens near the face, held askew from below: the middle swells, the brow shrinks."""
    y, x = (np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) - (SIZE - 1) / 2) / (SIZE / 2)
    angle = np.deg2rad(rng.choice([-1, 1]) * rng.uniform(15, 30))
    turned_x, turned_y = (
        x * np.cos(angle) - y * np.sin(angle),
        x * np.sin(angle) + y * np.cos(angle),
    )
    swollen = 0.6 + 0.4 * np.minimum(turned_x**2 + turned_y**2, 1.5)
    turned_x = turned_x * swollen * (1 - 0.35 * turned_y)
    back = [(part * SIZE / 2 + (SIZE - 1) / 2).astype(np.float32) for part in
            (turned_x, turned_y * swollen)]  # fmt: skip
    return np.asarray(cv2.remap(face, *back, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def infrared(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Skin pale, eyes and brows nearly so: dark tones turned over, soft, with a little noise."""
    tone = 255 * (0.35 + 0.65 * np.abs(face / 255 - 0.45) / 0.55)
    soft = cv2.GaussianBlur(tone.astype(np.float32), (0, 0), 1.0)
    return np.asarray(soft + rng.normal(0, 3, face.shape), np.float32)


def masked(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A mask up to the nose, or sunglasses; half of the faces each."""
    hidden = face.copy()
    if rng.random() < 0.5:
        hidden[rng.integers(29, 34) :, 4:-4] = rng.uniform(150, 230)
    else:
        top = rng.integers(13, 17)
        for left in (6, 27):
            cv2.ellipse(hidden, (left + 8, int(top) + 5), (9, 6), 0, 0, 360, 20.0, -1)
        hidden[top + 3 : top + 5, 4:-4] = 20
    return hidden


CAMERAS: Final[dict[str, Change]] = {
    "dark room": dark,
    "side light": side_lit,
    "far": far,
    "wide angle": wide_angle,
    "infrared": infrared,
    "mask or glasses": masked,
}


@dataclass(frozen=True)
class Stream:
    """What a run learns from and is judged by, camera by camera; the base is the first.

    Args:
        known: FER2013's Training.
        lessons: Faces to learn of each camera.
        monitors: Faces that choose the epoch, of the base and each camera.
        pixels: Faces that tell the accuracy, seen by the base and each camera.
        truth: Their labels' places.
    """

    known: pd.DataFrame
    lessons: dict[str, pd.DataFrame]
    monitors: dict[str, pd.DataFrame]
    pixels: dict[str, table.Pixels]
    truth: NDArray[np.int64]


def rows(pixels: table.Pixels, labels: NDArray[np.str_], domain: str) -> pd.DataFrame:
    """Return a face table."""
    return table.frame(
        {"id": f"{domain}-{place}", "image": image, "label": label, "domain": domain}
        for place, (image, label) in enumerate(zip(table.encode(pixels), labels, strict=True))
    )


def stream(data: Path, faces: int, seed: int) -> Stream:
    """Deal the clusters of near-copies in PublicTest out to the cameras and to the judges."""
    found = fer2013_layouts.read(data, votes=False).rows
    splits, labels = np.array(found.splits), np.array(found.labels)
    prints = near_copies.fingerprints(found.pixels)
    base, other = (np.flatnonzero(splits == split) for split in ("train", "validation"))
    other = other[near_copies.nearest(prints[other], prints[base], COPY) < 0]
    groups = near_copies.clusters(prints[other], COPY)
    rng = np.random.default_rng(seed)
    place = rng.permutation(groups.max() + 1)
    other = other[np.argsort(place[groups], kind="stable")]
    groups = np.sort(place[groups])
    lessons, monitors, begin = {}, {}, 0

    def dealt(count: int) -> NDArray[np.intp]:
        """Take whole clusters, `count` faces or a few more."""
        nonlocal begin
        end = begin + count
        while end < len(groups) and groups[end] == groups[end - 1]:
            end += 1
        taken, begin = other[begin:end], end
        return taken

    chosen = dealt(MONITOR)
    monitors[BASE] = rows(found.pixels[chosen], labels[chosen], BASE)
    for name, change in CAMERAS.items():
        for kind, count in ((lessons, faces), (monitors, MONITOR)):
            chosen = dealt(count)
            kind[name] = rows(seen(found.pixels[chosen], change), labels[chosen], name)
    judges = other[begin:]
    return Stream(
        rows(found.pixels[base], labels[base], BASE),
        lessons,
        monitors,
        {BASE: found.pixels[judges]}
        | {name: seen(found.pixels[judges], change) for name, change in CAMERAS.items()},
        np.array([INDEX[label] for label in labels[judges]]),
    )


def lesson(
    way: str, known: pd.DataFrame, new: pd.DataFrame, params: Params, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the training table of one update; its length is what an epoch shows."""
    faces = pd.concat([known.assign(new=False), new.assign(new=True)], ignore_index=True)
    size = min(len(known), params.balance.replay_cap) + len(new)
    if way == "fine-tuning":
        # Again and again, so that an epoch shows as many faces as the others'.
        again = np.resize(rng.permutation(len(new)), size)
        return new.iloc[again].assign(new=True, draw=1.0, weight=1.0)
    if way == "joint":
        cap = len(CAMERAS) * params.balance.replay_cap
        pooled = params.balance.model_copy(update={"new_share": 0.5, "replay_cap": cap})
        return choose(faces, pooled, rng, updating=True)
    if way == "replay":
        rehearsed = known.iloc[rng.permutation(len(known))[: size - len(new)]].assign(new=False)
        drawn = pd.concat([rehearsed, new.assign(new=True)]).assign(weight=1.0)
        return drawn.assign(draw=np.where(drawn["new"], 0.5 / len(new), 0.5 / len(rehearsed)))
    return choose(faces, params.balance, rng, updating=True)


def started(model_file: Path, params: Params) -> Any:
    """Return the base model as a training of the product builds it."""
    import keras

    from fer.model import networks
    from fer.training import hardware

    parent = keras.saving.load_model(model_file, compile=False, safe_mode=True)
    network, *widths = parent.name.split("-")
    keras.utils.set_random_seed(params.train.seed)
    model = networks.build(
        network,
        [int(width) for width in widths],
        params.train.dropout,
        precision=hardware.precision(),
    )
    model.set_weights(parent.get_weights())
    return model


def measured(model: Any, held: Stream, update: str, seconds: float) -> dict[str, Any]:
    """Return a row: the accuracy by camera, the seconds and the peak memory until now."""
    accuracy = {}
    for name, faces in held.pixels.items():
        told = model.predict(faces[..., None].astype(np.float32), batch_size=256, verbose=0)
        accuracy[name] = float((told.argmax(axis=1) == held.truth).mean())
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(update, f"{seconds:.1f} s", accuracy, file=sys.stderr, flush=True)
    return {"update": update, "accuracy": accuracy, "seconds": seconds, "peak_mib": peak_mib}


def run(way: str, model_file: Path, held: Stream, params: Params) -> list[dict[str, Any]]:
    """Learn the stream one way; one row an update, the base's first."""
    from fer.training.fit import Plan, fit

    model = started(model_file, params)
    plan = Plan(
        params.train.update_epochs, params.train.update_learning_rate, quick=way == "ours, quick"
    )
    lines = [measured(model, held, BASE, 0.0)]
    steps = {"none": [], "joint": [[*CAMERAS]]}.get(way, [[name] for name in CAMERAS])
    known, names = held.known, [BASE]
    for step in steps:
        began = time.perf_counter()
        new = pd.concat([held.lessons[name] for name in step], ignore_index=True)
        names += step
        judged = step if way == "fine-tuning" else names
        monitor = pd.concat([held.monitors[name] for name in judged], ignore_index=True)
        rng = np.random.default_rng([params.train.seed, len(names)])
        taught = lesson(way, known, new, params, rng)
        with tempfile.TemporaryDirectory() as folder:
            fit(model, taught, monitor, params.train, plan, Path(folder))
        known = pd.concat([known, new], ignore_index=True)
        lines.append(measured(model, held, step[-1], time.perf_counter() - began))
    return lines


@dataclass(frozen=True)
class Summary:
    """What a stream came to; parts of 1, and seconds and MiB of the costliest update."""

    average: float
    base: float
    backward: float
    forgetting: float
    forward: float
    seconds: float
    peak_mib: float


def summary(lines: list[dict[str, Any]]) -> Summary:
    """Return the figures of one run; none and joint have no transfer and no forgetting."""
    names = [BASE, *CAMERAS]
    told = np.array([[line["accuracy"][name] for name in names] for line in lines])
    last = told[-1]
    whole = len(told) == len(names)
    before_last = np.arange(len(names) - 1)
    nan = float("nan")
    return Summary(
        average=float(last.mean()),
        base=float(last[0]),
        backward=float((last - told.diagonal())[before_last].mean()) if whole else nan,
        forgetting=float((told[:-1].max(axis=0) - last)[before_last].mean()) if whole else nan,
        forward=float(np.mean([told[i - 1, i] - told[0, i] for i in range(2, len(names))]))
        if whole
        else nan,
        seconds=max(line["seconds"] for line in lines),
        peak_mib=max(line["peak_mib"] for line in lines),
    )


def plot(runs: dict[str, list[list[dict[str, Any]]]], path: Path) -> None:
    """Draw a panel a camera: its accuracy after every update, by way, on the mean over seeds."""
    from matplotlib.figure import Figure

    names = [BASE, *CAMERAS]
    figure = Figure(figsize=(13, 6.4), layout="constrained")
    panels = figure.subplots(2, 4, sharex=True, sharey=True).ravel()
    for place, (panel, name) in enumerate(zip(panels, [*names, "mean"], strict=True)):
        for number, (way, seeds) in enumerate(runs.items()):
            told = np.array([
                [np.mean(list(line["accuracy"].values())) if name == "mean"
                 else line["accuracy"][name] for line in lines] for lines in seeds
            ]).mean(axis=0)  # fmt: skip
            if len(told) == len(names):
                panel.plot(100 * told, "o-", markersize=3, color=f"C{number}", label=way)
            else:
                panel.axhline(100 * told[-1], linestyle="--", color=f"C{number}", label=way)
        if name in CAMERAS:
            panel.axvline(place, color="0.8", linewidth=6, zorder=0)
        panel.set_title(name)
        panel.grid(alpha=0.3)
        panel.set_xticks(range(len(names)), names, rotation=90)
    for panel in (panels[0], panels[4]):
        panel.set_ylabel("% right")
    panels[0].legend(fontsize="small")
    figure.savefig(path, dpi=110)


def measure_apart(way: str, seed: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Do as `run` in a fresh process; this one stays small, for a child's peak starts at it."""
    command = [
        sys.executable, "-m", "benchmarks.continual", "--only", way, "--seed", str(seed),
        "--data", str(arguments.data), "--model", str(arguments.model),
        "--faces", str(arguments.faces), "--rehearsed", str(arguments.rehearsed),
        "--epochs", str(arguments.epochs),
    ]  # fmt: skip
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    lines: list[dict[str, Any]] = json.loads(result.stdout.splitlines()[-1])
    return lines


def only(arguments: argparse.Namespace) -> None:
    """Run one way with one seed, and print its rows as the last line."""
    params = settings.load(Path("params.yaml"))
    params = params.model_copy(update={
        "balance": params.balance.model_copy(update={"replay_cap": arguments.rehearsed}),
        "train": params.train.model_copy(
            update={"update_epochs": arguments.epochs, "seed": arguments.seed}
        ),
    })  # fmt: skip
    held = stream(arguments.data, arguments.faces, arguments.seed)
    print(json.dumps(run(arguments.only, arguments.model, held, params)))


def compare(arguments: argparse.Namespace) -> None:
    """Print a line a way, on the mean over seeds; write every figure and the plot."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    runs = {
        way: [measure_apart(way, seed, arguments) for seed in range(1, arguments.seeds + 1)]
        for way in WAYS
    }
    (arguments.out / "continual.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    plot(runs, arguments.out / "continual.png")
    print("| way | average | base | backward | forgetting | forward | s an update | peak MiB |")
    print(f"|---{'|---' * 7}|")
    for way, seeds in runs.items():
        many = pd.DataFrame([asdict(summary(lines)) for lines in seeds])
        mean = many.mean()
        cells = [f"{100 * mean['average']:.1f}", f"{100 * mean['base']:.1f}"]
        cells += [
            "" if np.isnan(mean[name]) else f"{100 * mean[name]:+.1f}"
            for name in ("backward", "forgetting", "forward")
        ]
        cells += [f"{mean['seconds']:.0f}", f"{many['peak_mib'].max():.0f}"]
        print(" | ".join(["", way, *cells, ""]).strip())


def main() -> None:
    """Run the comparison, or one way where a parent process asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="FER2013's csv, zip or folder")
    parser.add_argument("--model", type=Path, default=Path("fer/shipped/champion.keras"))
    parser.add_argument("--out", type=Path, default=Path("reports"), help="for JSON and PNG")
    parser.add_argument("--faces", type=int, default=300, help="to learn of each camera")
    parser.add_argument("--rehearsed", type=int, default=1500, help="balance.replay_cap")
    parser.add_argument("--epochs", type=int, default=2, help="train.update_epochs")
    parser.add_argument("--seeds", type=int, default=1)
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
