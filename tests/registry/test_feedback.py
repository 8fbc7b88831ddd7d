"""People's votes take the champion's place, and only votes that are fair."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from fer import params
from fer.data import inbox, table, version
from fer.emotions import EMOTIONS
from fer.errors import Busy
from fer.evaluation.feedback import Tally
from fer.records import DataVersion, now
from fer.registry import feedback as module
from fer.registry import versions
from fer.registry.feedback import Feedback, defend, feedback

Label = Callable[..., pd.DataFrame]


@pytest.fixture
def label(
    faces: Callable[..., pd.DataFrame], written: Callable[..., pd.DataFrame], twice
) -> Label:
    """Return a maker of faces labelled blind, in a checkout of its own with champion 2.

    The version before, 1, reads them rightly, the champion wrongly; with `spared`, the reverse.
    """
    version.write(twice.paths.version, DataVersion(number=1))

    def make(n: int, *, spared: bool = False, **columns: object) -> pd.DataFrame:
        truth = np.arange(n) % 7
        wrong = (truth + 1) % 7
        told = (wrong, truth) if spared else (truth, wrong)
        rows = faces(n, first=700, **{"label_source": "blind", **columns})
        found = written(rows, truth, *told)
        return found.assign(label=[EMOTIONS[place] for place in truth])

    return make


def told(checkout) -> list[Feedback]:
    return feedback(params.load(checkout.paths.params).ingest, checkout.paths)


def votes(checkout) -> Tally:
    (one,) = told(checkout)
    return one.votes


def test_the_version_before_gets_the_votes_that_the_champion_lost(twice, label: Label) -> None:
    inbox.put(twice.paths.inbox, label(9))

    assert told(twice) == [Feedback("previous", 1, 2, Tally(faces=9, champion=0, rival=9))]
    tag = twice.client.get_model_version("fer", "1").tags["feedback"]
    assert "version 1 got 9 votes, champion version 2 got 0" in tag


def test_a_champion_that_lost_gives_its_place_back_with_the_reason(twice, label: Label) -> None:
    inbox.put(twice.paths.inbox, label(9))

    assert defend(told(twice), 0.05, twice.paths) is not None

    assert (twice.named("champion"), twice.named("previous")) == (1, 2)
    tags = twice.client.get_model_version("fer", "2").tags
    assert tags["verdict"] == "rolled back"
    assert tags["reasons"].startswith("by votes: previous version 1 got 9 votes")
    assert "better on the whole" in tags["reasons"]
    # What was rolled back is not held against who took its place: it would go on for ever.
    assert told(twice) == []


@pytest.mark.parametrize(("count", "spared"), [(6, False), (9, True)])
def test_few_votes_or_votes_for_it_leave_the_champion(
    twice, label: Label, count: int, spared: bool
) -> None:
    inbox.put(twice.paths.inbox, label(count, spared=spared))

    assert defend(told(twice), 0.05, twice.paths) is None
    assert twice.named("champion") == 2


@pytest.mark.parametrize("source", ["human", "model"])
def test_what_people_chose_to_correct_is_no_vote(twice, label: Label, source: str) -> None:
    inbox.put(twice.paths.inbox, label(9, label_source=source))

    assert votes(twice) == Tally()


def test_one_person_is_no_crowd(twice, label: Label) -> None:
    inbox.put(twice.paths.inbox, label(70, subject="ana"))

    assert votes(twice) == Tally(faces=70, champion=0, rival=7)


def test_only_faces_that_came_after_both_learnt_count(
    twice, label: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "track", lambda *_: None)
    rows = label(8).assign(split="train")
    shards = [
        version.write_shard(rows[some], number, twice.paths)
        for number, some in ((1, slice(0, 3)), (2, slice(3, 8)))
    ]
    version.write(twice.paths.version, DataVersion(number=2, captures=tuple(shards)))
    # A film shows the same again: under another name, the pictures are those that were learnt.
    inbox.put(twice.paths.inbox, rows[:3].assign(subject="someone else"))

    assert votes(twice) == Tally(faces=5, champion=0, rival=5)


def test_a_face_without_a_consent_that_holds_is_not_looked_at(twice, label: Label) -> None:
    over = {"text": "2", "purpose": "test", "given_at": now() - timedelta(days=2),
            "expires_at": now() - timedelta(days=1)}  # fmt: skip
    inbox.put(twice.paths.inbox, label(4, source="webcam"))
    inbox.put(twice.paths.inbox, label(4, source="webcam", consent=over))

    assert votes(twice).faces == 0


def test_an_unreadable_picture_is_left_out(twice, label: Label) -> None:
    rows = label(3)
    rows.loc[1, "image"] = b"junk"
    inbox.put(twice.paths.inbox, rows)

    assert votes(twice).faces == 2


def test_a_shadow_is_told_and_decides_nothing(twice, label: Label) -> None:
    versions.cast_shadow(twice.paths, 1)
    client = twice.client
    client.delete_registered_model_alias("fer", "previous")
    inbox.put(twice.paths.inbox, label(9))

    (one,) = told(twice)

    assert (one.role, one.votes.rival) == ("shadow", 9)
    assert defend([one], 0.05, twice.paths) is None


def test_what_was_rolled_back_may_show_itself_as_a_shadow(twice, label: Label) -> None:
    versions.rollback(twice.paths, None)
    versions.cast_shadow(twice.paths, 2)
    inbox.put(twice.paths.inbox, label(5, spared=True))

    assert told(twice) == [Feedback("shadow", 2, 1, Tally(faces=5, champion=0, rival=5))]


def test_a_version_with_both_names_is_told_once(twice, label: Label) -> None:
    versions.cast_shadow(twice.paths, 1)
    inbox.put(twice.paths.inbox, label(2))

    assert [one.role for one in told(twice)] == ["previous"]


def test_a_champion_that_came_meanwhile_is_not_judged_by_votes_on_another(
    twice, label: Label
) -> None:
    inbox.put(twice.paths.inbox, label(9))
    found = told(twice)
    versions.rollback(twice.paths, 3)

    with pytest.raises(Busy, match="champion version 2, found 3"):
        defend(found, 0.05, twice.paths)
    assert twice.named("champion") == 3


def test_without_a_champion_there_is_nothing_to_hold_against_it(registry) -> None:
    assert told(registry) == []


def test_the_tag_is_written_when_it_says_something_new(
    twice, label: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.put(twice.paths.inbox, label(3))
    told(twice)
    client = twice.client
    monkeypatch.setattr(module, "connect", lambda _: client)
    monkeypatch.setattr(client, "set_model_version_tag", lambda *_: pytest.fail("written again"))

    assert len(told(twice)) == 1


def test_pictures_stay_where_they_are(twice, label: Label) -> None:
    inbox.put(twice.paths.inbox, label(9))
    before = {path: path.read_bytes() for path in twice.paths.inbox.iterdir()}

    defend(told(twice), 0.05, twice.paths)

    assert {path: path.read_bytes() for path in twice.paths.inbox.iterdir()} == before
    assert len(table.read(next(iter(before)))) == 9
