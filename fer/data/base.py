"""Base: the data set that a model starts from and keeps rehearsing, as one face table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from fer.data import fer2013, synthetic, table
from fer.errors import ParamsError
from fer.files import locked, write_json
from fer.params import BaseParams, SyntheticParams
from fer.paths import Paths

_LABELS: Final[dict[str, fer2013.Labels]] = {
    "fer2013": "fer2013",
    "ferplus": "ferplus",
    "fer2013+ferplus": "both",
}


@dataclass(frozen=True)
class BaseReport:
    """What the base data hold.

    Args:
        source: `base.source`.
        faces: Faces on each side of the split.
        labels: Faces of each emotion.
        counts: Known faults of the source, and how many faces each concerned.
    """

    source: str
    faces: dict[str, int]
    labels: dict[str, int]
    counts: dict[str, int]


def base(params: BaseParams, paths: Paths) -> BaseReport:
    """Write `data/base.parquet` from the source that `params` names.

    Raises:
        ParamsError: The source needs a path and has none.
        DataError: The source's files are not what they should be.
    """
    with locked(paths.lock("base")):
        if not params.real:
            faces, counts = _drawn(params.synthetic, params.seed), {}
        else:
            path = _path(params, paths.root)
            loaded = fer2013.load(
                path,
                labels=_LABELS[params.source],
                keep_copies=params.keep_copies,
                validation_share=params.validation_share,
                seed=params.seed,
            )
            faces, counts = loaded.faces, loaded.counts
        table.write(paths.base, faces)
        report = BaseReport(
            source=params.source,
            faces=_counts(faces["split"]),
            labels=_counts(faces["label"]),
            counts=counts,
        )
        write_json(paths.report("base.json"), vars(report))
        return report


def _path(params: BaseParams, root: Path) -> Path:
    if params.path is None:
        raise ParamsError(
            f"base.source is {params.source}: expected base.path to say where the csv, zip or "
            "folder lies, received null. Set it in params.yaml."
        )
    return (root / Path(params.path).expanduser()).resolve()


def _drawn(params: SyntheticParams, seed: int) -> pd.DataFrame:
    subjects = [f"drawn-{number:04d}" for number in range(params.subjects)]
    faces = synthetic.draw_faces(
        camera=params.camera, subjects=subjects, per_subject=params.faces_per_subject, seed=seed
    )
    held_out = subjects[round(len(subjects) * (1 - params.validation_share)) :]
    faces["split"] = faces["subject"].isin(held_out).map({True: "validation", False: "train"})
    return faces.drop_duplicates("id").reset_index(drop=True)


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in column.value_counts().items()}
