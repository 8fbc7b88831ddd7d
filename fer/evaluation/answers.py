"""What a model says of the validation faces, and the record of it."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.emotions import EMOTIONS, INDEX
from fer.errors import MissingData
from fer.files import replacing

Truth = NDArray[np.int64]
"""Place of each row's label in `EMOTIONS`, shape `(n,)`, values 0-6."""

Probabilities = NDArray[np.float32]
"""What a model answers, shape `(n, 7)` in the order of `EMOTIONS`; each row sums to 1."""

_COLUMNS: Final = [f"p_{emotion}" for emotion in EMOTIONS]


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
