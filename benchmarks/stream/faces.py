"""Which faces a stream shows to learn from, and which tell what was learnt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.robustness import seen
from benchmarks.stream.cameras import CAMERAS
from fer.data import fer2013_layouts, ferplus, near_copies, table
from fer.emotions import INDEX

BASE: Final = "base"
COPY: Final = 0.95
"""Correlation from which two faces are near-copies."""
MONITOR: Final = 60
"""Faces of each camera that judge a training on the way."""


@dataclass(frozen=True)
class Stream:
    """What a run learns from and is judged by, camera by camera; the base is the first.

    Args:
        known: FER2013's Training less what is held out, with FER+'s votes where they lie beside
            it.
        lessons: Faces to learn of each camera.
        monitors: Faces that judge a training on the way, of the base and each camera.
        pixels: Faces that tell the accuracy, seen by the base and each camera.
        truth: Their labels' places.
    """

    known: pd.DataFrame
    lessons: dict[str, pd.DataFrame]
    monitors: dict[str, pd.DataFrame]
    pixels: dict[str, table.Pixels]
    truth: NDArray[np.int64]


def rows(
    pixels: table.Pixels,
    labels: NDArray[np.str_],
    domain: str,
    votes: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Return a face table; `votes` has shape `(n, 7)`, a row of zeros where nobody voted."""
    return table.frame(
        {
            "id": f"{domain}-{place}",
            "image": image,
            "label": label,
            "votes": None if votes is None else votes[place],
            "domain": domain,
        }
        for place, (image, label) in enumerate(zip(table.encode(pixels), labels, strict=True))
    )


def stream(data: Path, faces: int, judges: int, seed: int, *, monitor_share: float) -> Stream:
    """Deal the clusters of near-copies in PublicTest out to the cameras and to the judges.

    Of Training `monitor_share` is held out, as `balance` does with what a champion may know.
    """
    read = fer2013_layouts.read(data, votes=None)
    found, shares = read.rows, ferplus.judge(read.ballots).shares if read.ballots else None
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

    mixed = rng.permutation(base)
    held_out, base = np.split(mixed, [round(monitor_share * len(base))])
    monitors[BASE] = rows(found.pixels[held_out], labels[held_out], BASE)
    for name, change in CAMERAS.items():
        for kind, count in ((lessons, faces), (monitors, MONITOR)):
            chosen = dealt(count)
            kind[name] = rows(seen(found.pixels[chosen], change), labels[chosen], name)
    judging = other[begin : begin + judges]
    return Stream(
        rows(found.pixels[base], labels[base], BASE, None if shares is None else shares[base]),
        lessons,
        monitors,
        {BASE: found.pixels[judging]}
        | {name: seen(found.pixels[judging], change) for name, change in CAMERAS.items()},
        np.array([INDEX[label] for label in labels[judging]]),
    )
