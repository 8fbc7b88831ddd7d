"""Arrivals enter, are refused with a reason, or are known already: one of the three, each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.data.sorting import Sorted, sort
from fer.emotions import EMOTIONS
from fer.params import IngestParams
from fer.records import now

Faces = Callable[..., pd.DataFrame]

PARAMS = IngestParams(
    group_by="subject", validation_share=0.3, near_copy=0.95, hold_back=0.01,
    accept_model_labels=False,
)  # fmt: skip


def nobody(faces: pd.DataFrame) -> pd.Series:
    """Holds nobody back."""
    return pd.Series("", index=faces.index)


CONSENT = {
    "text": "1", "purpose": "training",
    "given_at": datetime(2026, 1, 1, tzinfo=UTC), "expires_at": datetime(2126, 1, 1, tzinfo=UTC),
}  # fmt: skip


def sorted_(
    arrivals: pd.DataFrame, known: pd.DataFrame | None = None, rejected: set[str] | None = None
) -> Sorted:
    """Sort, and check that every arrival went to one of the three places."""
    known = table.frame([]) if known is None else known
    found = sort(arrivals, known, rejected or set(), PARAMS, nobody)
    assert len(found.accepted) + len(found.refused) + found.repeats == len(arrivals)
    assert found.accepted["split"].isin(["train", "validation"]).all()
    return found


def reasons(found: Sorted) -> dict[str, str]:
    return dict(zip(found.refused["id"], found.refused["reason"], strict=True))


def relit(faces: pd.DataFrame) -> pd.DataFrame:
    """Near-copies: the same pictures in less light."""
    darker = table.decode(faces["image"]) // 2 + 20
    names = [table.face_id(face) for face in darker]
    return faces.assign(image=table.encode(darker), id=names)


# -- what enters -----------------------------------------------------------------------------


def test_sound_faces_enter_with_a_side(faces: Faces) -> None:
    found = sorted_(faces(10))
    assert set(found.accepted["id"]) == set(faces(10)["id"])
    assert set(found.accepted["split"]) == {"train", "validation"}


def test_nothing_gives_nothing() -> None:
    found = sorted_(table.frame([]))
    assert (len(found.accepted), len(found.refused), found.repeats) == (0, 0, 0)


def test_the_id_is_what_the_face_holds_not_what_its_writer_says(faces: Faces) -> None:
    assert set(sorted_(faces(2, id="mine")).accepted["id"]) == set(faces(2)["id"])


def test_the_side_is_given_here_not_by_the_writer(faces: Faces) -> None:
    assert set(sorted_(faces(10, split="test")).accepted["split"]) == {"train", "validation"}


def test_a_person_who_is_known_stays_on_their_side(faces: Faces) -> None:
    known = sorted_(faces(10)).accepted
    again = sorted_(faces(10, first=10, subject=list(faces(10)["subject"])), known).accepted
    side = dict(zip(known["subject"], known["split"], strict=True))
    assert list(again["split"]) == [side[name] for name in again["subject"]]


def test_a_person_is_on_one_side_in_all_domains_of_a_batch(faces: Faces) -> None:
    names = [f"s{number // 2}" for number in range(20)]
    both = sorted_(faces(20, subject=names, domain=["home", "office"] * 10)).accepted
    assert (both.groupby("subject")["split"].nunique() == 1).all()


def test_the_sides_do_not_depend_on_the_order_of_arrival(faces: Faces) -> None:
    batch = faces(15, subject=[None, "a", "b"] * 5, session=[None, None, "s"] * 5)
    straight = sorted_(batch).accepted.set_index("id")["split"]
    mixed = sorted_(batch.sample(frac=1, random_state=0)).accepted.set_index("id")["split"]
    assert straight.to_dict() == mixed.to_dict()


# -- what is known ---------------------------------------------------------------------------


def test_the_same_face_again_is_a_repeat(faces: Faces) -> None:
    known = sorted_(faces(4)).accepted
    assert sorted_(faces(5), known).repeats == 4
    twice = pd.concat([faces(3), faces(3)], ignore_index=True)
    assert sorted_(twice).repeats == 3


def test_another_file_of_the_same_pixels_is_a_repeat(faces: Faces) -> None:
    known = sorted_(faces(1)).accepted
    pixels = table.decode(known["image"])[0]
    file = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    assert sorted_(faces(1, image=file), known).repeats == 1


def test_what_a_person_rejected_does_not_come_back(faces: Faces) -> None:
    rejected = set(faces(1)["id"])
    found = sorted_(faces(2), rejected=rejected)
    assert (list(found.accepted["id"]), found.repeats) == (list(faces(1, first=1)["id"]), 1)
    assert sorted_(faces(1, label=None), rejected=rejected).repeats == 1


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("label", [None, "smug", "Happy", ""])
def test_a_face_without_an_emotion_is_refused(faces: Faces, label: str | None) -> None:
    found = sorted_(faces(2, label=["happy", label]))
    expected = f"received {'none' if label is None else label}"
    assert [(reason[:6], reason.endswith(expected)) for reason in reasons(found).values()] == [
        ("label:", True)
    ]


def test_a_webcam_face_without_consent_is_refused(faces: Faces) -> None:
    late = datetime(2126, 6, 1, tzinfo=UTC)
    webcam = faces(3, source="webcam", consent=[CONSENT, None, CONSENT],
                   captured_at=[datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC),
                                late])  # fmt: skip
    found = sorted_(webcam)
    assert list(found.accepted["id"]) == list(webcam["id"][:1])
    assert all(reason.startswith("consent:") for reason in reasons(found).values())


def test_a_consent_that_ended_before_ingest_is_refused(faces: Faces) -> None:
    moment = now() - timedelta(days=2)
    over = {**CONSENT, "given_at": moment, "expires_at": moment + timedelta(days=1)}
    webcam = faces(2, source="webcam", captured_at=moment, consent=[over, CONSENT])
    found = sorted_(webcam)
    assert list(found.accepted["id"]) == list(webcam["id"][1:])
    assert reasons(found)[webcam["id"][0]] == "consent: it has ended since the capture"


def test_a_face_from_the_future_is_refused(faces: Faces) -> None:
    moments = [now() + timedelta(days=1), now(), None]
    batch = faces(3, captured_at=moments)
    found = sorted_(batch)
    assert set(found.accepted["id"]) == set(batch["id"][1:])
    assert reasons(found)[batch["id"][0]].startswith("captured_at: ")


@pytest.mark.parametrize(
    "image",
    [b"", b"no picture", *(cv2.imencode(".png", np.zeros(shape, np.uint8))[1].tobytes()
                           for shape in [(64, 64), (48, 48, 3)])],
)  # fmt: skip
def test_what_is_no_face_picture_is_refused(faces: Faces, image: bytes) -> None:
    good = faces(2)["image"]
    found = sorted_(faces(3, image=[good[0], image, good[1]]))
    assert [reason[:6] for reason in reasons(found).values()] == ["image:"]
    assert list(found.refused["image"]) == [image]
    assert len(found.accepted) == 2


def test_unreadable_pictures_are_told_apart(faces: Faces) -> None:
    found = sorted_(faces(2, image=[b"one", b"other"]))
    assert len(reasons(found)) == 2


def test_the_same_picture_under_another_label_is_refused(faces: Faces) -> None:
    known = sorted_(faces(1, label="happy")).accepted
    found = sorted_(faces(1, label="sad"), known)
    assert reasons(found) == {known["id"].iloc[0]: "label: the same picture is happy"}


def test_of_two_labels_in_a_batch_the_first_stays(faces: Faces) -> None:
    batch = pd.concat([faces(1, label="happy"), faces(1, label="sad")], ignore_index=True)
    found = sorted_(batch)
    assert list(found.accepted["label"]) == ["happy"]
    assert list(found.refused["label"]) == ["sad"]


def test_a_fault_does_not_make_the_sound_copy_a_repeat(faces: Faces) -> None:
    batch = pd.concat([faces(1, label=None), faces(1, label="sad")], ignore_index=True)
    assert list(sorted_(batch).accepted["label"]) == ["sad"]


def test_who_is_held_back_decides_nothing_about_the_others(faces: Faces) -> None:
    held = [f"person-{number}" for number in range(0, 12, 3)]

    def hold_back(asked: pd.DataFrame) -> pd.Series:
        assert set(asked["label_source"]) == {"human"}
        return asked["subject"].isin(held).map({True: "guard: why", False: ""})

    batch = pd.concat([faces(12), relit(faces(12)).assign(subject="other"),
                       faces(2, first=12, label_source="model")], ignore_index=True)  # fmt: skip
    found = sort(batch, table.frame([]), set(), PARAMS, hold_back)
    waits = {face for face, why in reasons(found).items() if why == "guard: why"}
    assert waits == set(batch.loc[batch["subject"].isin(held), "id"])
    rest = batch[~batch["subject"].isin(held)]
    alone = sort(rest, table.frame([]), set(), PARAMS, nobody)
    assert found.accepted.set_index("id")["split"].to_dict() == (
        alone.accepted.set_index("id")["split"].to_dict()
    )


# -- near-copies -----------------------------------------------------------------------------


def test_no_near_copy_is_on_the_other_side(faces: Faces) -> None:
    # Somebody else's name under the same pictures: half of the pairs fall apart.
    copies = relit(faces(12)).assign(subject=[f"other-{number}" for number in range(12)])
    found = sorted_(pd.concat([faces(12), copies], ignore_index=True))
    side = dict(zip(found.accepted["id"], found.accepted["split"], strict=True))
    pairs = [
        (side[one], side[other])
        for one, other in zip(faces(12)["id"], copies["id"], strict=True)
        if one in side and other in side
    ]
    assert all(one == other for one, other in pairs)
    assert len(found.refused)
    assert all(reason.startswith("split:") for reason in reasons(found).values())
    assert set(found.refused["split"]) == {"train"}


def test_an_unnamed_near_copy_follows_the_known_picture(faces: Faces) -> None:
    known = sorted_(faces(12)).accepted
    copies = relit(known).assign(subject=None, session=None, domain="elsewhere")
    found = sorted_(copies, known)
    assert list(found.accepted["split"]) == list(known["split"])


def test_a_named_near_copy_of_the_other_side_is_refused(faces: Faces) -> None:
    known = sorted_(faces(12)).accepted
    side = dict(zip(known["split"], known["subject"], strict=True))
    other = known["split"].map({"train": side["validation"], "validation": side["train"]})
    found = sorted_(relit(known).assign(subject=other), known)
    assert len(found.refused) == 12


@pytest.mark.parametrize("label", EMOTIONS)
def test_every_emotion_enters(faces: Faces, label: str) -> None:
    assert len(sorted_(faces(1, label=label)).accepted) == 1


# -- what a model labelled -------------------------------------------------------------------

TRUSTING = PARAMS.model_copy(update={"accept_model_labels": True})


def trusted(arrivals: pd.DataFrame, known: pd.DataFrame | None = None) -> Sorted:
    """Sort where the labels of a model are accepted unseen."""
    return sort(arrivals, table.frame([]) if known is None else known, set(), TRUSTING, nobody)


def guessed(faces: pd.DataFrame) -> pd.DataFrame:
    return faces.assign(label_source="model")


def test_what_a_model_labelled_waits_for_a_person(faces: Faces) -> None:
    found = sorted_(pd.concat([faces(4), guessed(faces(3, first=4))], ignore_index=True))
    assert set(found.accepted["id"]) == set(faces(4)["id"])
    assert all(reason.startswith("model: ") for reason in reasons(found).values())
    assert len(found.refused) == 3


@pytest.mark.parametrize("order", ["first", "last"])
def test_a_models_faces_decide_nothing_about_those_of_people(faces: Faces, order: str) -> None:
    # The same people, their sessions, and pictures that are near-copies of each other's.
    people = faces(12)
    models = guessed(relit(faces(12)).assign(subject=list(reversed(people["subject"]))))
    parts = [models, people] if order == "first" else [people, models]
    alone = trusted(people).accepted.set_index("id")["split"]
    beside = trusted(pd.concat(parts, ignore_index=True)).accepted
    after = trusted(people, trusted(models).accepted).accepted
    for found in (beside[beside["label_source"] == "human"], after):
        assert found.set_index("id")["split"].to_dict() == alone.to_dict()


def test_a_models_face_is_never_in_validation(faces: Faces) -> None:
    people = faces(12)
    again = guessed(faces(24, first=12, subject=[*people["subject"], *[None] * 12]))
    found = trusted(pd.concat([again, people], ignore_index=True))
    side = dict(zip(people["subject"], people["id"].map(
        found.accepted.set_index("id")["split"]), strict=True))  # fmt: skip
    models = found.accepted[found.accepted["label_source"] == "model"]
    assert set(models["split"]) == {"train"}
    assert set(models["subject"].dropna()) == {name for name in side if side[name] == "train"}
    assert set(found.refused["subject"]) == {name for name in side if side[name] != "train"}


def test_a_models_near_copy_of_a_validation_face_is_refused(faces: Faces) -> None:
    known = trusted(faces(12)).accepted
    found = trusted(guessed(relit(known)).assign(subject=None, session=None), known)
    judged = set(relit(known[known["split"] == "validation"])["id"])
    assert judged
    assert {face for face, why in reasons(found).items() if why.startswith("split:")} == judged


def test_a_models_faces_leave_when_their_person_comes_to_judge(faces: Faces) -> None:
    models = trusted(guessed(faces(12, first=12, subject=list(faces(12)["subject"])))).accepted
    found = trusted(faces(12), models)
    judging = found.accepted.loc[found.accepted["split"] == "validation", "subject"]
    assert len(judging)
    assert set(found.withdrawn) == set(models.loc[models["subject"].isin(judging), "id"])


def test_a_persons_word_on_a_picture_takes_the_place_of_a_models(faces: Faces) -> None:
    models = trusted(guessed(faces(3, label="happy"))).accepted
    found = trusted(faces(3, label="sad"), models)
    assert list(found.accepted["label"]) == ["sad"] * 3
    assert found.withdrawn == tuple(models["id"])
    # And what a person labelled stays, whatever a model says of it later.
    assert trusted(guessed(faces(3, label="sad")), found.accepted).repeats == 3
