"""How many faces of each emotion people have taught."""

from collections import Counter
from pathlib import Path

from fer.data import table, version
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.paths import Paths
from fer.records import DataVersion


class Counts:
    """Counts faces by label; each file is read once.

    Args:
        paths: The checkout.
    """

    def __init__(self, paths: Paths) -> None:
        """See the class."""
        self._paths = paths
        self._items: dict[Path, Counter[str]] = {}
        self._taken_in: tuple[DataVersion, dict[str, int]] | None = None

    def waiting(self) -> dict[str, int]:
        """Return the number of faces of each emotion in the inbox."""
        present = set(self._paths.inbox.glob("[!.]*.parquet"))
        known = {path: self._items.get(path) or _labels(path) for path in present}
        self._items = known
        return _of_each(sum(known.values(), Counter()))

    def taken_in(self) -> dict[str, int]:
        """Return the number of captured faces of each emotion in the data version."""
        try:
            current = version.read(self._paths.version)
            if self._taken_in is None or self._taken_in[0] != current:
                faces = version.captured(self._paths, current)
                self._taken_in = (current, _of_each(Counter(faces["label"].dropna())))
        except DataError:
            # A clone without the captures: there is nothing to count here.
            return _of_each(Counter())
        return self._taken_in[1]


def _labels(path: Path) -> Counter[str]:
    try:
        faces = table.read(path, ["label", "label_source"])
        return Counter(faces.loc[~table.by_model(faces), "label"].dropna())
    except DataError:
        # Taken by `ingest` in this moment, or for it to set apart.
        return Counter()


def _of_each(found: Counter[str]) -> dict[str, int]:
    return {emotion: found[emotion] for emotion in EMOTIONS}
