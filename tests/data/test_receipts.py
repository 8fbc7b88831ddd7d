"""Receipts of erasures are kept in the order in which the erasures began."""

from fer.data import receipts
from fer.paths import Paths


def test_receipts_of_one_second_are_listed_in_the_order_they_began(paths: Paths) -> None:
    begun = [receipts.begin("asked", None) for _ in range(20)]
    for one in reversed(begun):
        receipts.write(receipts.path_of(paths, one), one)

    assert receipts.listed(paths) == begun
