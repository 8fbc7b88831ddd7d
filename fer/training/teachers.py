"""Teachers: what other models say of the faces that a network learns from scratch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fer.data import table
from fer.emotions import EMOTIONS
from fer.errors import DataError, MissingData
from fer.model.augment import augment
from fer.model.classifier import Classifier
from fer.training.batches import targets

VIEWS: Final = 8
"""Of each face, changed at random. A teacher that learnt the face has part of its label by heart:
the mean over 8 views agrees less with that label than its answer to the face as it is, and more
with FER+'s voters."""
_PART: Final = 1024
"""Faces at once: 29,000 as float32 would take a quarter of a gigabyte."""


def find(teachers: Sequence[str], root: Path) -> list[Path]:
    """Return the files of `train.teachers`, relative ones from `root`.

    Raises:
        MissingData: One is not there.
    """
    found = [root / Path(path).expanduser() for path in teachers]
    for path in found:
        if not path.is_file():
            raise MissingData(
                f"Expected a teacher at {path}, found nothing. Correct train.teachers in "
                "params.yaml."
            )
    return found


def teach(faces: pd.DataFrame, teachers: Sequence[Path], share: float, seed: int) -> pd.DataFrame:
    """Return `faces` with a column `taught`: what each is to be answered, 7 probabilities.

    Without teachers, `faces` as they are: labels are the answer.

    Distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network"): the mean of
    several models is more often right than each, and tells how far a face is from every emotion.

    Args:
        faces: Training table.
        teachers: ONNX files of this product.
        share: Part that the teachers' mean answer has; the label has the rest. 0-1.
        seed: Of the views.

    Raises:
        ModelError: A file is no model of this product.
        DataError: A teacher learnt more than base data.
    """
    if not teachers:
        return faces
    read = [_read(path) for path in teachers]
    pixels = table.decode(faces["image"])
    told = np.zeros((len(pixels), len(EMOTIONS)), np.float32)
    for view in range(VIEWS):
        for start in range(0, len(pixels), _PART):
            rows = slice(start, start + _PART)
            seen = augment(pixels[rows], np.random.default_rng([seed, view, start]))
            told[rows] += sum(teacher.probabilities(seen.astype(np.uint8)) for teacher in read)
    taught = (1 - share) * targets(faces) + share * told / (VIEWS * len(read))
    return faces.assign(taught=list(taught))


def _read(path: Path) -> Classifier:
    teacher = Classifier(path)
    if teacher.lineage.data_version or teacher.lineage.parent:
        raise DataError(
            f"Expected teachers that learnt base data alone, received {path}, of data version "
            f"{teacher.lineage.data_version}: a person who is erased could live on in what it "
            "teaches. Correct train.teachers in params.yaml."
        )
    return teacher
