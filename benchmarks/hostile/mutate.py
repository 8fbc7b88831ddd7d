"""A valid file to one that is not."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

_NUMBERS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Where counters and sizes wrap round."""


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` after one to four changes: cut, bits, numbers, slices moved or repeated."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if changed:
            _change(changed, rng)
    return bytes(changed)


def _change(data: bytearray, rng: np.random.Generator) -> None:
    # Headers are where decoders believe what they read.
    size = len(data) if rng.random() < 0.6 else min(len(data), 64)
    at = int(rng.integers(0, size))
    length = int(rng.integers(1, 1 + min(256, len(data))))
    kind = rng.integers(0, 7)
    if kind == 0:
        del data[at + 1 :]
    elif kind == 1:
        del data[at : at + length]
    elif kind == 2:
        data[at] ^= 1 << int(rng.integers(0, 8))
    elif kind == 3:
        data[at:at] = rng.bytes(length)
    elif kind == 4:
        data[at:at] = data[at : at + length] * int(rng.integers(1, 20))
    elif kind == 5:
        order = "little" if rng.random() < 0.5 else "big"
        data[at : at + 4] = int(rng.choice(_NUMBERS)).to_bytes(4, order)
    else:
        data[at : at + length] = bytes([int(rng.choice([0, 0xFF, 0x20, 0x22, 0x5B]))]) * length


def stream(
    valid: Sequence[bytes], nasty: Sequence[bytes], rng: np.random.Generator
) -> Iterator[bytes]:
    """Yield what is nasty by hand, then mutations of it all, without end."""
    yield from nasty
    # A mutated bomb is mostly no bomb any more; valid files break in more ways.
    seeds = [*valid, *valid, *(one for one in nasty if len(one) < 1 << 16)]
    while True:
        yield mutated(seeds[rng.integers(0, len(seeds))], rng)
