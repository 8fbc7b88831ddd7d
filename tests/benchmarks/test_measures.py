"""The measures of a stream are those that Avalanche would tell of the same accuracies."""

import math

import numpy as np
import pytest

from benchmarks.stream.measures import gains, measures

# Rows: before, after lesson 1, after lesson 2. Columns: base, camera 1, camera 2.
ACCURACY = np.array([[0.70, 0.30, 0.40], [0.66, 0.50, 0.46], [0.68, 0.44, 0.60]])


def test_a_whole_stream() -> None:
    told = measures(ACCURACY, 2)

    assert told.average == told.average_seen == pytest.approx((0.68 + 0.44 + 0.60) / 3)
    # StreamForgetting: from just after the own lesson to the end, without the last lesson's.
    assert told.forgetting == pytest.approx(((0.70 - 0.68) + (0.50 - 0.44)) / 2)
    assert told.backward == -told.forgetting
    assert told.base_forgetting == pytest.approx(0.02)
    # StreamForwardTransfer: from before the first lesson to just before the own one.
    assert told.forward == pytest.approx(0.46 - 0.40)


def test_in_the_middle_of_a_stream_only_what_has_happened_counts() -> None:
    told = measures(ACCURACY, 1)

    assert told.average == pytest.approx((0.66 + 0.50 + 0.46) / 3)
    assert told.average_seen == pytest.approx((0.66 + 0.50) / 2)
    assert told.forgetting == pytest.approx(0.70 - 0.66)
    assert told.forward == pytest.approx(0.46 - 0.40)


def test_before_the_first_update_there_is_no_transfer() -> None:
    told = measures(ACCURACY, 0)

    assert told.average == pytest.approx((0.70 + 0.30 + 0.40) / 3)
    assert math.isnan(told.backward)
    assert math.isnan(told.forward)
    assert told.base_forgetting == 0


def test_gains_are_parts_of_what_the_bound_gained() -> None:
    bound = np.array([[0.70, 0.30, 0.40], [0.60, 0.58, 0.40]])

    parts = gains(ACCURACY, bound)

    assert parts[0] == pytest.approx(0.5)
    assert math.isnan(parts[1])
