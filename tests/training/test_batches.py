"""An epoch shows what the table asks for, and the same again for the same seed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer.data import table
from fer.emotions import EMOTIONS, INDEX
from fer.training.batches import Batches, draw, targets


@given(st.integers(1, 5000), st.integers(0, 2**32 - 1))
def test_once_each_shows_each_face_exactly_once(n: int, seed: int) -> None:
    rows = draw(np.ones(n), np.random.default_rng(seed))

    assert np.array_equal(np.sort(rows), np.arange(n))


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=300), st.integers(0, 2**32 - 1))
def test_an_epoch_is_as_long_as_the_draws_say_and_each_face_has_its_part(
    wanted: list[float], seed: int
) -> None:
    rows = draw(np.array(wanted), np.random.default_rng(seed))

    times = np.bincount(rows, minlength=len(wanted))
    assert len(rows) == max(1, round(sum(wanted)))
    assert np.all(np.abs(times - np.array(wanted) / sum(wanted) * len(rows)) < 1 + 1e-6)


def test_over_many_epochs_every_face_gets_its_share() -> None:
    # Two of the faces lie where no middle of a step falls: they, too, must be seen.
    wanted = np.array([0.8, 0.3, 0.3, 2.4, 0.9, 0.3])
    epochs = 2000

    times = sum(
        np.bincount(draw(wanted, np.random.default_rng(epoch)), minlength=len(wanted))
        for epoch in range(epochs)
    )

    assert np.allclose(times / epochs, wanted, atol=0.05)


def test_draws_are_shuffled() -> None:
    rows = draw(np.ones(500), np.random.default_rng(1))

    assert abs(np.corrcoef(rows, np.arange(500))[0, 1]) < 0.2


def test_labels_are_one_hot(faces: Callable[..., pd.DataFrame]) -> None:
    assert np.array_equal(targets(faces(3, label="happy")), np.eye(7)[[INDEX["happy"]] * 3])


def test_votes_that_were_written_and_read_stay_beside_the_label(
    faces: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    votes = [0.25, 0.0, 0.0, 0.75, 0.0, 0.0, 0.0]
    table.write(tmp_path / "faces.parquet", faces(2, label="sad", votes=[votes, None]))
    read = table.read(tmp_path / "faces.parquet").assign(new=True, draw=1.0, weight=1.0)

    _, wanted, _ = Batches(read, batch_size=2, votes=True, seed=1)[0]

    assert np.array_equal(wanted[:, :7], np.eye(7)[[INDEX["sad"]] * 2])
    assert sorted(wanted[:, 7:].tolist()) == [[0.0] * 7, votes]


@pytest.fixture
def learnt(faces: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return faces(21).assign(new=True, draw=1.0, weight=np.arange(21) + 1.0)


def test_a_batch_holds_faces_targets_and_weights_of_the_same_rows(learnt: pd.DataFrame) -> None:
    batches = Batches(learnt, batch_size=8, votes=False, seed=1)

    parts = [batches[number] for number in range(len(batches))]

    assert [len(faces) for faces, _, _ in parts] == [8, 8, 5]
    assert parts[0][0].shape == (8, 48, 48, 1)
    assert parts[0][0].dtype == np.float32
    weights = np.concatenate([weights for _, _, weights in parts])
    wanted = np.concatenate([wanted for _, wanted, _ in parts])
    assert np.array_equal(np.sort(weights), np.arange(21) + 1)
    rows = weights.astype(int) - 1
    assert [EMOTIONS[place] for place in wanted.argmax(axis=1)] == list(learnt["label"].iloc[rows])


def test_the_same_seed_and_epoch_give_the_same_batch(learnt: pd.DataFrame) -> None:
    one, two = (Batches(learnt, batch_size=8, votes=False, seed=1) for _ in range(2))
    for epoch in range(3):
        one.start(epoch)
    two.start(2)

    for first, second in zip(one[1], two[1], strict=True):
        assert np.array_equal(first, second)


@pytest.mark.parametrize(("seed", "epoch"), [(2, 0), (1, 1)])
def test_another_seed_or_epoch_gives_another_batch(
    learnt: pd.DataFrame, seed: int, epoch: int
) -> None:
    other = Batches(learnt, batch_size=8, votes=False, seed=seed)
    other.start(epoch)

    assert not np.array_equal(
        other[0][0], Batches(learnt, batch_size=8, votes=False, seed=1)[0][0]
    )
