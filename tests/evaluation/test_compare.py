"""How the comparison behaves on equal, better, worse and few."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fer.evaluation.compare import Comparison, compare

Models = tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.str_]]


def models(**wins_losses_rows: tuple[int, int, int]) -> Models:
    """Return (candidate, champion, domains) with so many wins, losses and rows by domain."""
    candidate, champion, domains = [], [], []
    for domain, (wins, losses, rows) in wins_losses_rows.items():
        ties = rows - wins - losses
        candidate += [True] * wins + [False] * losses + [True] * ties
        champion += [False] * wins + [True] * losses + [True] * ties
        domains += [domain] * rows
    return np.array(candidate), np.array(champion), np.array(domains)


def compared(found: Models, *, resamples: int = 2000) -> Comparison:
    return compare(*found, confidence=0.95, resamples=resamples, seed=1)


def test_a_model_is_no_better_than_itself() -> None:
    found = compared(models(base=(0, 0, 500)))

    assert found.difference == 0
    assert found.lower_bound < 0
    assert found.share_not_better > 0.6  # a draw counts against the candidate
    assert (found.wins, found.losses) == (0, 0)


def test_counts_and_differences_are_those_of_the_rows() -> None:
    found = compared(models(base=(30, 10, 1000), camera=(12, 2, 100)))

    assert (found.wins, found.losses) == (42, 12)
    differences = {name: one.difference for name, one in found.by_domain.items()}
    assert differences == pytest.approx({"base": 0.02, "camera": 0.1})
    assert found.difference == pytest.approx(0.06)


def test_bound_grows_with_the_gain() -> None:
    bounds = [
        compared(models(base=(100 + gain, 100, 2000))).lower_bound for gain in (0, 20, 40, 80)
    ]

    assert bounds == sorted(bounds)
    assert bounds[0] < 0 < bounds[-1]


def test_bound_approaches_the_difference_as_rows_grow() -> None:
    gaps = [
        found.difference - found.lower_bound
        for rows in (100, 1000, 10000)
        for found in [compared(models(base=(rows // 10, rows // 20, rows)))]
    ]

    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.01


def test_swapped_models_mirror() -> None:
    candidate, champion, domains = models(base=(60, 40, 1000), camera=(9, 3, 60))

    there = compared((candidate, champion, domains), resamples=20_000)
    back = compared((champion, candidate, domains), resamples=20_000)

    assert back.difference == pytest.approx(-there.difference)
    assert (back.wins, back.losses) == (there.losses, there.wins)
    assert back.share_not_better == pytest.approx(1 - there.share_not_better, abs=0.02)


def test_order_of_rows_does_not_matter() -> None:
    found = models(base=(60, 40, 1000), camera=(9, 3, 60))
    order = np.random.default_rng(0).permutation(len(found[0]))

    assert compared(tuple(part[order] for part in found)) == compared(found)  # type: ignore[arg-type]


def test_bound_and_share_agree() -> None:
    for wins in range(2, 14):
        found = compared(models(base=(wins, 2, 100), camera=(wins, 4, 3600)))
        assert (found.lower_bound > 0) == (found.share_not_better < 0.05)


@pytest.mark.parametrize("rows", [1, 3, 4, 60])
def test_three_wins_prove_nothing(rows: int) -> None:
    assert compared(models(camera=(min(rows, 3), 0, rows))).lower_bound <= 0


def test_new_faces_are_not_drowned_by_old_ones() -> None:
    found = compared(models(base=(180, 180, 3589), camera=(32, 8, 200)))

    assert found.lower_bound > 0
    assert found.difference == pytest.approx(0.06)


def test_a_gain_in_old_faces_does_not_hide_a_loss_in_new_ones() -> None:
    found = compared(models(base=(300, 200, 3589), camera=(8, 32, 200)))

    assert found.wins > found.losses
    assert found.share_not_better > 0.95


@pytest.mark.parametrize("disputed", [0.05, 0.3])
@pytest.mark.parametrize("sizes", [(60,), (60, 3600), (60, 200, 3600)], ids=str)
def test_equal_models_seldom_pass(sizes: tuple[int, ...], disputed: float) -> None:
    generator = np.random.default_rng(7)
    pairs = 300
    passed = 0
    for _ in range(pairs):
        domains = {
            f"domain {rows}": (int(wins), int(losses), rows)
            for rows in sizes
            for wins, losses, _ in [
                generator.multinomial(rows, [disputed / 2, disputed / 2, 1 - disputed])
            ]
        }
        passed += compared(models(**domains), resamples=1000).lower_bound > 0

    # At most 5 %, and two standard errors of 300 draws on top.
    assert passed / pairs <= 0.05 + 2 * (0.05 * 0.95 / pairs) ** 0.5


def test_a_real_gain_is_found_most_of_the_time() -> None:
    generator = np.random.default_rng(8)
    # 15 % disputed and a true gain of 3 points: a sign test finds it 79 % of the time.
    found = [
        compared(models(base=(int(wins), int(losses), 1000)), resamples=1000).lower_bound > 0
        for wins, losses, _ in generator.multinomial(1000, [0.09, 0.06, 0.85], size=300)
    ]

    assert np.mean(found) > 0.7


def test_a_domain_of_a_few_rows_weighs_as_little() -> None:
    found = compared(models(base=(0, 100, 3500), photos=(1, 0, 1)))

    assert found.by_domain["photos"].difference == 1
    assert found.difference < 0
