"""Where every capture is that a server said it kept."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from fer.data import inbox, quarantine, table, version
from fer.paths import Paths


@dataclass(frozen=True)
class Account:
    """Acknowledged captures, by what is on disk.

    Args:
        places: How many are in the shards, the inbox and quarantine.
        lost: Those that are nowhere.
        doubled: Those that are there more than once.
    """

    places: dict[str, int]
    lost: list[tuple[str, str]]
    doubled: list[tuple[str, str]]


def account(paths: Paths, kept: Sequence[tuple[str, str]]) -> Account:
    """Look for captures, told apart by subject and label, of which each is kept once.

    Args:
        paths: The checkout; nothing may be running in it.
        kept: Subject and label of each.
    """
    shards = [
        table.read(paths.captures / one.file) for one in version.read(paths.version).captures
    ]
    tables = {
        "shards": pd.concat(shards) if shards else table.frame([]),
        "inbox": inbox.read(paths.inbox).faces,
        "quarantine": quarantine.read(paths.quarantine),
    }
    found: dict[tuple[str, str], int] = defaultdict(int)
    places: Counter[str] = Counter()
    wanted = set(kept)
    for name, faces in tables.items():
        for key in zip(faces["subject"], faces["label"], strict=True):
            if key in wanted:
                found[key] += 1
                places[name] += 1
    return Account(
        dict(places),
        [key for key in kept if not found[key]],
        [key for key in kept if found[key] > 1],
    )
