"""Votes of people are counted once each, and prove what they can and no more."""

import numpy as np
import pandas as pd
import pytest

from fer.evaluation.feedback import Tally, tally


def test_no_vote_proves_nothing_and_every_lost_one_proves_more() -> None:
    proven = [Tally(rival=lost).evidence for lost in range(20)]
    assert proven[0] == pytest.approx(1)
    assert proven == sorted(proven)


def test_votes_for_the_champion_speak_for_it() -> None:
    assert Tally(champion=10).evidence < Tally(champion=10, rival=10).evidence < 1


def test_it_is_the_mean_of_the_likelihoods_where_the_rival_is_better() -> None:
    chances = np.linspace(0.5, 1, 100_001)
    ratios = chances**9 * (1 - chances) ** 4 / 0.5**13
    assert Tally(rival=9, champion=4).evidence == pytest.approx(float(ratios.mean()), rel=1e-4)


def test_thousands_of_votes_are_weighed_too() -> None:
    assert 0 < Tally(champion=3000, rival=1000).evidence < 1e-3
    assert Tally(champion=1000, rival=1500).evidence > 1e9


def test_a_fair_coin_seldom_seems_loaded_however_often_one_looks() -> None:
    # Exactly: the chance that a fair walk of 200 votes ever comes to evidence of 20.
    paths, crossed = {0: 1.0}, 0.0
    for votes in range(1, 201):
        following: dict[int, float] = {}
        for won, chance in paths.items():
            for now in (won, won + 1):
                following[now] = following.get(now, 0) + chance / 2
        decided = [won for won in following if Tally(0, votes - won, won).evidence >= 20]
        crossed += sum(following.pop(won) for won in decided)
        paths = following
    assert 0.01 < crossed <= 0.05


def test_a_person_has_one_vote_an_emotion_and_it_stays_the_first() -> None:
    group = pd.Series(["ana"] * 5 + ["ben"])
    labels = pd.Series(["happy", "happy", "happy", "sad", "sad", "happy"])
    champion = np.array([True, False, True, False, True, True])
    rival = np.array([True, True, False, False, True, False])

    # Ana's first happy face that is read differently is the rival's; her sad ones are alike.
    assert tally(group, labels, champion, rival) == Tally(faces=6, champion=1, rival=1)
    assert tally(group[:0], labels[:0], champion[:0], rival[:0]) == Tally()
