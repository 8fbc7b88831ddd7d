"""Random numbers that a key decides, so that a picture can be drawn again."""

import hashlib

import numpy as np


def generator(*key: object) -> np.random.Generator:
    """Return a generator that `key` alone decides, on every machine and in every process."""
    digest = hashlib.sha256("\x1f".join(map(str, key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
