"""Words are added to pictures, never put on them, and fit whatever the size."""

import numpy as np
import pytest

from fer.live import panel


@pytest.mark.parametrize("size", [(240, 320), (480, 640), (1080, 1920), (30, 900)])
def test_the_frame_above_the_bar_is_untouched(size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), 128, np.uint8)

    shown = panel.with_bar(frame, ["one", "two"])

    assert (shown[: size[0], : size[1]] == frame).all()
    assert shown[size[0] :].max() > 200
    assert shown.shape[1] >= 640


def test_a_wider_frame_has_larger_letters() -> None:
    small, large = (
        (panel.with_bar(np.zeros((90, width, 3), np.uint8), ["text"])[90:] > 200).sum()
        for width in (640, 1920)
    )

    assert large > 4 * small


@pytest.mark.parametrize("size", [(640, 480), (320, 240), (1920, 1080), (900, 30)])
def test_all_of_a_long_text_is_on_the_sheet(size: tuple[int, int]) -> None:
    words = "several words " * 40

    short = panel.sheet(["start", "end"], *size)
    long = panel.sheet(["start", words, "end"], *size)

    assert long.shape[0] >= size[1]
    assert (long > 200).sum() > 10 * (short > 200).sum()
    # Nothing touches the rim, where it would be cut off.
    assert long[-3:].max() < 100
    assert long[:, -3:].max() < 100
