"""The champion's word on what arrives: `ingest` asks it before it takes faces in."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import table
from fer.evaluation import answers, guard
from fer.model.classifier import Classifier
from fer.params import IngestParams
from fer.paths import Paths
from fer.registry import versions
from fer.registry.tracking import connect

_log = logging.getLogger(__name__)


def hold_back(faces: pd.DataFrame, params: IngestParams, paths: Paths) -> pd.Series:
    """Return a reason for each face that a person should see first, else an empty text.

    Args:
        faces: Face table of sound faces that people labelled.
        params: `hold_back` and `near_copy`.
        paths: The checkout.

    Raises:
        RegistryError: The champion's files are gone.
    """
    nothing = pd.Series("", index=faces.index)
    if not params.hold_back or not len(faces):
        return nothing
    champion = versions.alias(connect(paths), versions.CHAMPION)
    if champion is None:
        return nothing
    if not paths.validation.is_file():
        _log.warning("New labels are not held against the champion's: run `dvc repro` first.")
        return nothing
    model = versions.files(champion)[0]
    judged = table.read(paths.validation)
    pixels = table.decode(faces["image"])
    missed = _wrong(judged, answers.of(model, judged, paths.answers))
    return guard.contradicting(
        faces,
        guard.distinct(pixels, params.near_copy),
        _wrong(faces, Classifier(model).probabilities(pixels)),
        guard.expected_errors(faces, judged, missed),
        params.hold_back,
    )


def _wrong(faces: pd.DataFrame, told: answers.Probabilities) -> NDArray[np.bool_]:
    wrong: NDArray[np.bool_] = told.argmax(axis=1) != answers.truth(faces)
    return wrong
