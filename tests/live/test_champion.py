"""Without a registry the shipped champion answers, and nothing is made on disk for it."""

import numpy as np

from fer.live.champion import Champion
from fer.live.predictor import SHIPPED_VERSION, Predictor
from fer.paths import SHIPPED_MODEL, SHIPPED_WEIGHTS, Paths


def test_a_fresh_checkout_is_served_the_shipped_champion(paths: Paths, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    predictor = Predictor(Champion(paths))

    predictor.refresh()

    assert predictor.state.error is None
    assert predictor.state.version == SHIPPED_VERSION
    assert predictor.state.name == "shipped champion"
    assert predictor.probabilities(np.zeros((1, 48, 48), np.uint8)).shape == (1, 7)
    assert not paths.mlruns.exists()


def test_the_shipped_champion_and_its_weights_take_little_room() -> None:
    assert sum(file.stat().st_size for file in (SHIPPED_MODEL, SHIPPED_WEIGHTS)) <= 12e6
