"""Patience is used up once, however often a training is killed."""

from types import SimpleNamespace

import pytest

from fer.training.callbacks import StopEarly

LOSSES = [0.9, 0.5, 0.7, 0.5, 0.6, 0.4, 0.8]
"""Better than all before in epochs 1, 2 and 6."""


def stopped_after(values: list[float], mode: str, patience: int, killed: int) -> int:
    """Return the epoch, from 1, that ends a training which was killed after `killed` epochs."""
    stop = StopEarly("val", mode, patience, values[:killed])
    if stop.spent:
        return killed
    stop.set_model(SimpleNamespace(stop_training=False))
    stop.on_train_begin()
    for epoch, value in enumerate(values[killed:], start=killed):
        stop.on_epoch_end(epoch, {"val": value})
        if stop.model.stop_training:
            return epoch + 1
    return len(values) + 1


@pytest.mark.parametrize(("patience", "last"), [(1, 3), (2, 4), (3, 5), (4, 8)])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_kill_costs_and_gives_no_patience(mode: str, patience: int, last: int) -> None:
    values = LOSSES if mode == "min" else [-one for one in LOSSES]

    ends = {stopped_after(values, mode, patience, killed) for killed in range(min(last, 7) + 1)}

    assert ends == {last}
