"""Arrivals are held against what the champion says, where there is one."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fer import params
from fer.emotions import EMOTIONS
from fer.registry.guard import hold_back


@pytest.fixture
def arrivals(
    faces: Callable[..., pd.DataFrame], written: Callable[..., pd.DataFrame]
) -> pd.DataFrame:
    """Two sessions of 25 that a good champion reads rightly; the second is labelled wrongly."""
    truth = np.arange(50) % 7
    label = np.where(np.arange(50) < 25, truth, (truth + 1) % 7)
    names = ["good"] * 25 + ["bad"] * 25
    batch = faces(50, first=500, session=names, subject=names, domain="base")
    shown = written(batch, truth, truth, truth)
    return shown.assign(label=[EMOTIONS[place] for place in label])


def test_a_session_against_the_champion_is_held_back(ruled, arrivals: pd.DataFrame) -> None:
    settings = params.load(ruled.paths.params).ingest
    reason = hold_back(arrivals, settings, ruled.paths)
    assert list(reason != "") == [False] * 25 + [True] * 25
    off = settings.model_copy(update={"hold_back": 0.0})
    assert (hold_back(arrivals, off, ruled.paths) == "").all()


def test_without_validation_faces_it_warns_and_lets_in(
    ruled, arrivals: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    ruled.paths.validation.unlink()
    settings = params.load(ruled.paths.params).ingest
    assert (hold_back(arrivals, settings, ruled.paths) == "").all()
    assert "dvc repro" in caplog.text


def test_without_a_champion_nobody_is_held_back(registry, arrivals: pd.DataFrame) -> None:
    settings = params.load(registry.paths.params).ingest
    assert (hold_back(arrivals, settings, registry.paths) == "").all()
