"""What ships is small to clone, and loses nothing by it."""

from pathlib import Path

import numpy as np

from fer.model import networks
from pipelines.champion import _pack


def test_a_packed_network_is_smaller_and_has_the_same_weights(tmp_path: Path) -> None:
    loose, packed = tmp_path / "candidate.keras", tmp_path / "champion.keras"
    model = networks.build("forked", [4, 8], 0.2)
    model.save(loose)

    _pack(loose, packed)

    assert packed.stat().st_size < loose.stat().st_size / 2
    again = networks.load(packed)
    assert again.name == model.name
    assert all(map(np.array_equal, again.get_weights(), model.get_weights()))
