"""What a model says of the validation faces, and the record of it."""

import logging
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import table
from fer.emotions import EMOTIONS, INDEX
from fer.errors import MissingData
from fer.files import replacing, sha256
from fer.model.classifier import Classifier

_log = logging.getLogger(__name__)

Truth = NDArray[np.int64]
"""Place of each row's label in `EMOTIONS`, shape `(n,)`, values 0-6."""

Probabilities = NDArray[np.float32]
"""What a model answers, shape `(n, 7)` in the order of `EMOTIONS`; each row sums to 1."""

_COLUMNS: Final = [f"p_{emotion}" for emotion in EMOTIONS]
_ASKED_AGAIN: Final = 64
"""Faces of a record that its model answers once more, to see whether it stands by it."""

MAX_DIFFERENCE: Final = 1e-4
"""Between two times that one model answers one face: rounding, no more."""


def truth(faces: pd.DataFrame) -> Truth:
    """Return the place of each face's label in `EMOTIONS`, shape `(n,)`."""
    return np.asarray(faces["label"].map(INDEX).to_numpy(), np.int64)


def domains(faces: pd.DataFrame) -> NDArray[np.str_]:
    """Return the domain of each face, shape `(n,)`."""
    return faces["domain"].to_numpy(str)


def record(faces: pd.DataFrame, probabilities: Probabilities, path: Path) -> None:
    """Write one row a face: id, domain, actual, predicted, confidence, seven probabilities."""
    rows = pd.DataFrame({
        "id": faces["id"],
        "domain": faces["domain"],
        "actual": faces["label"],
        "predicted": np.array(EMOTIONS)[probabilities.argmax(axis=1)],
        "confidence": probabilities.max(axis=1),
    })  # fmt: skip
    rows[_COLUMNS] = probabilities
    with replacing(path) as temporary:
        rows.to_csv(temporary, index=False)


def recorded(path: Path) -> Probabilities:
    """Return the probabilities that `record` wrote, shape `(n, 7)`, in the order of the faces.

    Raises:
        MissingData: There is no such file.
    """
    if not path.is_file():
        raise MissingData(f"Expected a model's answers at {path}, found none. Run `dvc repro`.")
    return pd.read_csv(path, usecols=_COLUMNS, dtype=np.float32)[_COLUMNS].to_numpy(np.float32)


def of(model: Path, faces: pd.DataFrame, folder: Path) -> Probabilities:
    """Return what `model` answers to `faces`; what it is on record with is not asked again.

    A file of a name answers the pixels of an id alike, whenever it is asked. A few faces of the
    record are answered again; where one comes out otherwise, as from a damaged record or by
    another processor's arithmetic, all are.

    Args:
        model: ONNX file.
        faces: Face table.
        folder: Where the record is; see `keep`.
    """
    asked, kept = Classifier(model), _kept(folder / f"{sha256(model)}.csv")
    known = np.flatnonzero(faces["id"].isin(kept.index))
    again = known[:: len(known) // _ASKED_AGAIN or 1]
    rows = np.union1d(np.flatnonzero(~faces["id"].isin(kept.index)), again)
    told = kept.reindex(faces["id"]).to_numpy(np.float32, copy=True)
    before = told[again]
    told[rows] = asked.probabilities(table.decode(faces["image"].iloc[rows]))
    stands = np.abs(told[again] - before).max(initial=0) <= MAX_DIFFERENCE
    if not stands:
        told = asked.probabilities(table.decode(faces["image"]))
    if not stands or len(rows) > len(again):
        keep(model, faces, told, folder)
    return told


def keep(model: Path, faces: pd.DataFrame, probabilities: Probabilities, folder: Path) -> None:
    """Put on record what `model` answers to `faces`; records of other models leave the folder."""
    file = folder / f"{sha256(model)}.csv"
    for other in folder.glob("[!.]*"):
        if other != file:
            other.unlink(missing_ok=True)
    record(faces, probabilities, file)


def _kept(file: Path) -> pd.DataFrame:
    """Return the seven probabilities of each face on record, by its id."""
    try:
        rows = pd.read_csv(file, dtype=dict.fromkeys(_COLUMNS, np.float32), index_col="id")
        return rows.loc[~rows.index.duplicated(), _COLUMNS].dropna()
    except FileNotFoundError:
        pass
    # A record that is damaged is none: its faces are answered anew.
    except (ValueError, KeyError) as error:
        _log.warning("%s is no record of answers (%s): the faces are answered anew.", file, error)
    return pd.DataFrame(columns=_COLUMNS, dtype=np.float32)
