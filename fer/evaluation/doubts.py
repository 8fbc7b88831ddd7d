"""Doubts: captured faces whose label a model confidently contradicts, for a person to look at.

The rule is that of confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning:
Estimating Uncertainty in Dataset Labels", JAIR 70, section 3.1): an emotion counts as seen where
its probability reaches the mean that faces of this label get. So a model that is never sure of
fear is not asked for more than it gives. A face is doubted where the most probable emotion that
counts is not its label.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import quarantine, review, table, version
from fer.emotions import EMOTIONS, INDEX
from fer.errors import MissingData
from fer.evaluation import answers
from fer.evaluation.answers import Probabilities, Truth
from fer.model.classifier import Classifier
from fer.paths import Paths
from fer.records import DataVersion, Parent

# A model that gives all faces of an emotion the same probability reaches their mean.
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Judge:
    """A model that is asked.

    Args:
        probabilities: Canonical faces `(n, 48, 48)` to probabilities `(n, 7)`.
        data_version: What it learnt from; it has seen the training faces up to it.
    """

    probabilities: Callable[[NDArray[np.uint8]], Probabilities]
    data_version: int


def doubted(paths: Paths, champion: Judge) -> pd.DataFrame:
    """Return captured faces that look mislabelled, the most contradicted first.

    They are of the present data version and of the quarantine, labelled by people, and not
    decided yet. Where the champion has learnt from a face and the pinned parent has not, the
    parent is asked: of what it was taught, a model is sure. Where both have, `learnt` says so.

    Returns:
        Face table with the columns `reason`, `suggested` (an emotion), `sure` and `given` (the
        probabilities of the suggested emotion and of the label) and `learnt`.

    Raises:
        MissingData: There are no validation faces yet, or a shard is missing.
    """
    judged = table.read(paths.validation)
    enough = thresholds(
        answers.truth(judged), champion.probabilities(table.decode(judged["image"]))
    )
    faces, pixels = _candidates(paths, champion.data_version)
    shares = champion.probabilities(pixels)
    taught = faces["learnt"].to_numpy(bool)
    unseen = taught & ~faces.pop("parent_learnt").to_numpy(bool)
    if unseen.any():
        shares[unseen] = Classifier(paths.parent).probabilities(pixels[unseen])
    faces["learnt"] = taught & ~unseen
    label = answers.truth(faces)
    other = contradiction(shares, label, enough)
    rows = np.arange(len(faces))
    faces["sure"], faces["given"] = shares[rows, other], shares[rows, label]
    faces["suggested"] = np.array(EMOTIONS)[other]
    faces = faces[other >= 0]
    faces["reason"] = [_sentence(face) for face in faces.to_dict("records")]
    margin = faces["sure"] - faces["given"]
    return faces.loc[margin.sort_values(ascending=False, kind="stable").index]


def thresholds(truth: Truth, shares: Probabilities) -> NDArray[np.float32]:
    """Return from which probability on each emotion counts as seen, shape `(7,)`.

    It is the mean probability of the label over the faces of that label, which the model must
    not have learnt from. An emotion without faces never counts.
    """
    means = [
        shares[truth == one, one].mean() if (truth == one).any() else np.inf
        for one in range(len(EMOTIONS))
    ]
    return np.array(means, np.float32)


def contradiction(
    shares: Probabilities, label: Truth, enough: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Return the emotion that a model sees instead of each label, shape `(n,)`; -1: none.

    Args:
        shares: Its probabilities.
        label: Place of each label in `EMOTIONS`.
        enough: What `thresholds` returned.
    """
    seen = np.where(shares >= enough - _ROUNDING, shares, -1.0)
    best = seen.argmax(axis=1)
    return np.where((seen.max(axis=1) >= 0) & (best != label), best, -1)


def _candidates(paths: Paths, data_version: int) -> tuple[pd.DataFrame, table.Pixels]:
    """Faces that a person may decide on, with `learnt` and `parent_learnt`, and their pixels."""
    current = version.read(paths.version)
    captured = version.captured(paths, current)
    known = version.captured(paths, _as_if_parent(current, data_version))
    training = captured["split"] == "train"
    captured["learnt"] = training & ~known["new"]
    captured["parent_learnt"] = (training & ~captured.pop("new")) | _no_parent(paths, current)
    apart = quarantine.read(paths.quarantine)
    apart = apart[~apart.pop("reason").str.startswith(review.BINDING)]
    parts = [captured, apart.assign(learnt=False, parent_learnt=False)]
    faces = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    said = {one.face for one in current.decisions}
    pixels, readable = table.decode_readable(faces["image"])
    wanted = readable & faces["label"].isin(INDEX) & ~table.by_model(faces)
    wanted &= ~faces["id"].isin(said) & ~faces["id"].duplicated()
    return faces[wanted].reset_index(drop=True), pixels[wanted]


def _as_if_parent(current: DataVersion, data_version: int) -> DataVersion:
    return dataclasses.replace(current, parent=Parent(0, data_version, "", ""))


def _no_parent(paths: Paths, current: DataVersion) -> bool:
    if current.parent is None:
        return True
    try:
        version.check(paths.parent, current.parent.model_sha256)
    except MissingData:
        return True
    return False


def _sentence(face: dict[object, object]) -> str:
    where = (
        "a face that it has learnt under this label" if face["learnt"]
        else "a validation face" if face["split"] == "validation"
        else "a face that it has not learnt from"
    )  # fmt: skip
    return (
        f"doubt: {face['suggested']} at {face['sure']:.0%}, {face['label']} at "
        f"{face['given']:.0%}, of {where}"
    )
