"""Faces that a tiny network learns in seconds: upright stripes are happy, lying ones sad."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.params import TrainParams, TransferParams

Stripes = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def stripes() -> Stripes:
    """Return a maker of training tables: `stripes(n, seed=0)`."""
    return make_stripes


@pytest.fixture(scope="session")
def params() -> TrainParams:
    """Settings of a training of seconds, without chance inside the network."""
    return TrainParams(
        network="plain",
        widths=(4,),
        transfer=TransferParams(weights=None, head_epochs=1, unfreeze=0.2),
        light="none",
        dropout=0.0,
        votes=1.0,
        epochs=4,
        update_epochs=2,
        quick_below=0,
        batch_size=16,
        learning_rate=0.02,
        update_learning_rate=0.01,
        parent_share=0.7,
        weight_decay=0.001,
        best_by="loss",
        patience=4,
        seed=1,
    )


def make_stripes(n: int, seed: int = 0) -> pd.DataFrame:
    """Return `n` faces, half of them happy, half of them sad."""
    rng = np.random.default_rng(seed)
    upright = np.arange(n) % 2 == 0
    wave = 128 + 80 * np.sin(np.arange(48) * 1.1 + rng.uniform(0, 6, (n, 1)))
    pictures = np.where(upright[:, None, None], wave[:, None, :], wave[:, :, None])
    pixels = (pictures + rng.normal(0, 12, (n, 48, 48))).clip(0, 255).astype(np.uint8)
    rows = [
        {
            "id": table.face_id(face),
            "image": image,
            "label": "happy" if stands else "sad",
            "source": "import:test",
            "domain": "stripes",
            "label_source": "human",
            "split": "train",
            "votes": None,
        }
        for face, image, stands in zip(pixels, table.encode(pixels), upright, strict=True)
    ]
    return table.frame(rows).assign(new=True, draw=1.0, weight=1.0)
