"""Doubts as people meet them: found by what is served, and once for each change."""

import threading

import pandas as pd

from fer.data import version
from fer.evaluation.doubts import Judge, doubted
from fer.live.predictor import Predictor
from fer.paths import Paths


class Doubts:
    """Finds faces that look mislabelled; may be shared by threads.

    Args:
        paths: The checkout.
        predictor: The model that is asked.
    """

    def __init__(self, paths: Paths, predictor: Predictor) -> None:
        """See the class."""
        self._paths, self._predictor = paths, predictor
        self._found: tuple[object, pd.DataFrame] | None = None
        self._lock = threading.Lock()

    def found(self) -> pd.DataFrame:
        """Return what `evaluation.doubts.doubted` does, with the model that is served now.

        Raises:
            ModelError: There is no model yet.
            MissingData: There are no validation faces yet, or a shard is missing.
        """
        with self._lock:
            if not self._predictor.state.asked:
                # A server that has just started would say that there is no model.
                self._predictor.refresh()
            state = self._predictor.state
            apart = sorted(one.name for one in self._paths.quarantine.glob("*.parquet"))
            asked = (version.read(self._paths.version), state.name, apart)
            if self._found is None or self._found[0] != asked:
                judge = Judge(self._predictor.probabilities, state.data_version or 0)
                self._found = (asked, doubted(self._paths, judge))
            return self._found[1]
