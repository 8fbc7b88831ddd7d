"""An update goes as far as what its parent knows allows."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from fer.model import networks
from fer.training.batches import Monitor
from fer.training.step import settle


@pytest.fixture
def known(stripes: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Faces that are all happy."""
    return stripes(8).assign(label="happy")


def _model(happy: float) -> keras.Model:
    """Return a network that answers the same to every face, the surer of happy the higher."""
    model = networks.build("plain", [4], 0.0)
    weights: list[Any] = [np.zeros_like(one) for one in model.get_weights()]
    weights[-1][3] = happy
    model.set_weights(weights)
    return model


@pytest.mark.parametrize(
    ("before", "after", "step"),
    [(1.0, 3.0, 1.0), (1.0, 0.99, 1.0), (1.0, 0.965, 0.8), (1.0, 0.961, 0.7), (1.0, -3.0, 0.6)],
    ids=["better", "hardly worse", "somewhat worse", "worse", "much worse"],
)
def test_the_worse_for_what_the_parent_knows_the_shorter_the_step(
    known: pd.DataFrame, before: float, after: float, step: float
) -> None:
    model = _model(after)
    begun = _model(before).get_weights()

    taken, told = settle(model, begun, Monitor.of(known), np.ones(8, bool))

    assert taken == step
    assert model.get_weights()[-1][3] == pytest.approx(before + step * (after - before))
    assert np.allclose(told, Monitor.of(known).told_by(model))


def test_where_the_parent_knows_nothing_that_is_judged_all_of_it_is_learnt(
    known: pd.DataFrame,
) -> None:
    model = _model(-3.0)

    step, told = settle(
        model, _model(1.0).get_weights(), Monitor.of(known), np.zeros(len(known), bool)
    )

    assert step == 1.0
    assert np.allclose(told, Monitor.of(known).told_by(model))
    assert model.get_weights()[-1][3] == -3.0
