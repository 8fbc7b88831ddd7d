"""Rehearsal is even over domains, within the cap, and the same for a seed."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer.data import replay
from fer.emotions import EMOTIONS

known = st.lists(
    st.tuples(st.sampled_from(["home", "office", "train"]), st.sampled_from(EMOTIONS)),
    max_size=120,
).map(lambda rows: pd.DataFrame(rows, columns=["domain", "label"]))


def chosen(faces: pd.DataFrame, cap: int, seed: int = 0) -> list[int]:
    return replay.choose(faces, cap, np.random.default_rng(seed)).tolist()


@given(known, st.integers(1, 100))
def test_the_cap_is_kept_and_used(faces: pd.DataFrame, cap: int) -> None:
    places = chosen(faces, cap)
    assert len(places) == len(set(places)) == min(cap, len(faces))
    assert set(places) <= set(range(len(faces)))


@given(known, st.integers(1, 100))
def test_a_domain_has_less_than_another_only_where_it_has_no_more(
    faces: pd.DataFrame, cap: int
) -> None:
    there, taken = Counter(faces["domain"]), Counter(faces["domain"].iloc[chosen(faces, cap)])
    most = max(taken.values(), default=0)
    assert all(taken[domain] >= min(there[domain], most - 1) for domain in there)


def test_a_domain_keeps_its_mix_of_emotions() -> None:
    faces = pd.DataFrame({"domain": "base", "label": ["happy"] * 9000 + ["disgust"] * 1000})
    taken = faces.iloc[chosen(faces, 2000)]["label"].value_counts()
    # 200 on average, standard deviation 12.
    assert 140 < taken["disgust"] < 260


def test_a_small_domain_is_not_drowned() -> None:
    faces = pd.DataFrame({
        "domain": ["base"] * 7000 + ["office"] * 700,
        "label": [EMOTIONS[number % 7] for number in range(7700)],
    })  # fmt: skip
    taken = faces.iloc[chosen(faces, 1000)]["domain"].value_counts()
    assert abs(taken["office"] - 500) <= 7


def test_a_seed_gives_its_draw_and_another_one_another() -> None:
    faces = pd.DataFrame({"domain": "base", "label": "happy"}, index=range(1000))
    assert chosen(faces, 50, seed=1) == chosen(faces, 50, seed=1)
    assert chosen(faces, 50, seed=1) != chosen(faces, 50, seed=2)


def test_every_face_of_a_cell_is_as_likely() -> None:
    faces = pd.DataFrame({"domain": "base", "label": "happy"}, index=range(20))
    counts = Counter(place for seed in range(400) for place in chosen(faces, 5, seed))
    # 100 on average, standard deviation 9.
    assert all(60 < counts[place] < 140 for place in range(20))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_below_the_cap_all_are_rehearsed(count: int) -> None:
    faces = pd.DataFrame({"domain": "base", "label": "happy"}, index=range(count))
    assert chosen(faces, 5) == list(range(count))
