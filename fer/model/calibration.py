"""How sure a model may be of its answers: one temperature for all of them.

Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2. Dividing the
logits by one number changes no answer, only how sure the model says it is.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

_LOG_BOUNDS: Final = (-3.0, 3.0)
"""Of the temperature's logarithm: 0.05 to 20, far beyond what a training leaves."""


def fit(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Return the temperature with which the answers are most probable; above 1: less sure.

    One face's worth of the truth is spread over all emotions, as in Platt 1999, Probabilistic
    Outputs for Support Vector Machines: a model that errs nowhere on a few faces would
    otherwise be called sure without limit.

    Args:
        probabilities: Answers to n >= 1 faces, shape `(n, classes)`.
        truth: Place of the right class of each, shape `(n,)`.
    """
    logits = _logits(probabilities)
    rows, classes = logits.shape
    wanted = np.full((rows, classes), 1 / (classes * (rows + 1)))
    wanted[np.arange(rows), truth] += rows / (rows + 1)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return -float((wanted * scaled).sum())

    found = minimize_scalar(loss, bounds=_LOG_BOUNDS, method="bounded")
    return float(np.exp(found.x))


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return what a model would answer with its logits divided by `temperature`.

    Args:
        probabilities: Answers, shape `(n, classes)`.
        temperature: Positive; the inverse undoes it.
    """
    exponents = np.exp(_logits(probabilities) / temperature)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), np.float32)


def _logits(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logits of `probabilities`, largest 0; what a float32 holds no more is finite."""
    smallest = float(np.finfo(np.float32).tiny)
    logits = np.log(np.maximum(probabilities.astype(np.float64), smallest))
    return np.asarray(logits - logits.max(axis=1, keepdims=True))
