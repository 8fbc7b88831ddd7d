"""A group is on one side of the split, for good, and the sides keep their shares."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer.data import splits, table

Faces = Callable[..., pd.DataFrame]

NOBODY = pd.Series([], dtype="str")

batches = st.lists(st.sampled_from([f"subject:{number}" for number in range(12)]), min_size=1)
shares = st.sampled_from([0.1, 0.3, 0.5])


def assigned(batch: list[str], sides: dict[str, str] | None = None, known: pd.Series = NOBODY,
             share: float = 0.3) -> dict[str, str]:  # fmt: skip
    """Return the side of each group, checking that it has one."""
    group = pd.Series(batch)
    split = splits.assign(group, sides or {}, known, share=share)
    assert set(split) <= {"train", "validation"}
    assert (split.groupby(group).nunique() == 1).all()
    return dict(zip(group, split, strict=True))


# -- sides ---------------------------------------------------------------------------------


@given(batches, shares)
def test_a_group_is_on_one_side(batch: list[str], share: float) -> None:
    assigned(batch, share=share)


@given(batches, batches, shares)
def test_a_known_group_keeps_its_side(first: list[str], second: list[str], share: float) -> None:
    before = assigned(first, share=share)
    known = pd.Series(first).map(before)
    after = assigned(second, before, known, share=share)
    assert {name: after[name] for name in before.keys() & after.keys()} == {
        name: before[name] for name in before.keys() & after.keys()
    }


@given(batches, shares, st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(batch: list[str], share: float, rng) -> None:
    mixed = list(batch)
    rng.shuffle(mixed)
    assert assigned(mixed, share=share) == assigned(batch, share=share)


@given(batches, batches, shares)
def test_two_groups_of_a_domain_are_on_two_sides(
    first: list[str], second: list[str], share: float
) -> None:
    one = assigned(first, share=share)
    if len(one) > 1:
        assert set(one.values()) == {"train", "validation"}
    both = one | assigned(second, one, pd.Series(first).map(one), share=share)
    if len(both) > 1 and set(both) - set(one):
        assert set(both.values()) == {"train", "validation"}


@given(st.integers(1, 200), shares)
def test_a_single_group_is_for_training(size: int, share: float) -> None:
    assert assigned(["subject:a"] * size, share=share) == {"subject:a": "train"}


@given(st.lists(st.integers(1, 20), min_size=8, max_size=40), shares)
def test_the_share_is_reached_to_within_the_largest_group(sizes: list[int], share: float) -> None:
    batch = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    sides = assigned(batch, share=share)
    validation = sum(sides[name] == "validation" for name in batch)
    assert abs(validation - share * len(batch)) <= max(sizes)


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=10, max_size=20))
def test_the_share_is_reached_over_many_small_batches(arrivals: list[list[int]]) -> None:
    sides: dict[str, str] = {}
    known: list[str] = []
    for day, sizes in enumerate(arrivals):
        batch = [f"{day}/{number}" for number, size in enumerate(sizes) for _ in range(size)]
        sides |= assigned(batch, sides, pd.Series(known, dtype="str"))
        known += [sides[name] for name in batch]
    assert abs(known.count("validation") - 0.3 * len(known)) <= 5


@pytest.mark.parametrize(("share", "side"), [(0.0, "train"), (1.0, "validation")])
def test_a_share_of_none_or_all_is_kept(share: float, side: str) -> None:
    assert set(assigned(["a", "b", "c"], share=share).values()) == {side}


# -- groups --------------------------------------------------------------------------------


def groups(faces: pd.DataFrame, by: splits.GroupBy = "subject") -> list[str]:
    return list(splits.groups(faces, table.decode(faces["image"]), by=by, near_copy=0.95))


def test_a_person_is_one_group_over_sessions_and_domains(faces: Faces) -> None:
    mixed = faces(4, subject=["a", "a", "a", "b"], session=["1", "2", None, "1"],
                  domain=["home", "home", "office", "home"])  # fmt: skip
    one, two, three, other = groups(mixed)
    assert one == two == three != other


def test_sessions_can_come_first(faces: Faces) -> None:
    kiosk = faces(3, subject="a", session=["1", "2", None])
    assert len(set(groups(kiosk, by="session"))) == 3
    assert len(set(groups(kiosk, by="subject"))) == 1


def test_sessions_of_the_same_name_in_two_domains_are_two(faces: Faces) -> None:
    mixed = faces(2, subject=None, session="1", domain=["home", "office"])
    assert len(set(groups(mixed))) == 2


def test_unnamed_near_copies_are_one_group(faces: Faces) -> None:
    nobody = faces(3, subject=None, session=None)
    relit = [table.encode((one // 2 + 20)[None].astype(np.uint8))[0]
             for one in table.decode(nobody["image"][:2])]  # fmt: skip
    both = pd.concat([nobody, nobody[:2].assign(image=relit, id=["x", "y"])], ignore_index=True)
    names = groups(both)
    assert names[:2] == names[3:]
    assert len(set(names)) == 3


def test_a_group_of_any_row_is_told_for_that_row(faces: Faces) -> None:
    mixed = faces(6, subject=[None, "a", None, "b", None, None], session=[None] * 5 + ["s"])
    mixed.index = pd.Index([50, 40, 30, 20, 10, 0])
    pixels = table.decode(mixed["image"])
    named = splits.groups(mixed, pixels, by="subject", near_copy=0.95)
    assert list(named.index) == list(mixed.index)
    assert named.loc[[40, 20, 0]].tolist() == ["subject:a", "subject:b", "session:office/s"]
    assert named.loc[[50, 30, 10]].tolist() == ["face:" + mixed["id"][i] for i in (50, 30, 10)]


# -- near-copies across the split ------------------------------------------------------------


def test_of_two_new_near_copies_the_one_in_training_leaves(faces: Faces) -> None:
    face, other = table.decode(faces(2)["image"])
    new = np.stack([face, face // 2 + 20, other])
    none = np.empty((0, 48, 48), np.uint8), np.array([], str)
    sides = np.array(["train", "validation", "train"])
    assert splits.torn(new, sides, *none, 0.95).tolist() == [True, False, False]


@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_near_copy_of_a_known_face_on_the_other_side_leaves(faces: Faces, side: str) -> None:
    known = table.decode(faces(2)["image"])
    leaving = splits.torn(
        known // 2 + 20, np.array([side, side]), known, np.array(["train", "validation"]), 0.95
    )
    assert leaving.tolist() == [side != "train", side != "validation"]
