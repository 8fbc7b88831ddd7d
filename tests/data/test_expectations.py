"""Every rule trips on a face or a batch made for it, and on nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from fer import params
from fer.data import expectations, pictures, table
from fer.data.expectations import Finding
from fer.emotions import EMOTIONS
from fer.params import ValidateParams
from fer.paths import Paths

Faces = Callable[..., pd.DataFrame]


@pytest.fixture
def settings(paths: Paths) -> ValidateParams:
    return params.load(paths.params).validate_


@pytest.fixture
def checked(faces: Faces, settings: ValidateParams) -> Callable[..., dict[str, list[str]]]:
    """Return a check of two sound faces and a third with changes: the rules that it broke."""

    def check(**changes: object) -> dict[str, list[str]]:
        sound = faces(3, split="train")
        described = pictures.describe(table.decode(sound["image"]))
        sound = sound.assign(
            **described, new=True, width=48, height=48, consented=True, in_base=False,
            reviewed=False,
        )  # fmt: skip
        for name, value in changes.items():
            if isinstance(value, str) or value is None:
                sound[name] = sound[name].astype(object)
            sound.loc[2, name] = value
        found = expectations.check_faces(sound, settings)
        return {one.rule: list(one.failed) for one in found if not one.holds}

    return check


def test_sound_faces_break_no_rule(checked: Callable[..., dict[str, list[str]]]) -> None:
    assert checked() == {}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("label", "smug"), ("label", None), ("split", "training"), ("width", 64), ("height", 47),
        ("captured_at", datetime(1970, 1, 1, tzinfo=UTC)),
        ("consented", False), ("in_base", True),
        ("brightness", 19.9), ("brightness", 235.1), ("contrast", 7.9), ("sharpness", 9.9),
    ],
)  # fmt: skip
def test_a_face_that_breaks_a_rule_is_named_by_it(
    checked: Callable[..., dict[str, list[str]]], faces: Faces, column: str, value: object
) -> None:
    broken = checked(**{column: value})
    assert len(broken) == 1
    rule, failed = next(iter(broken.items()))
    assert rule.endswith(column)
    assert failed == [faces(3)["id"][2]]


def test_two_faces_of_one_name_are_both_told(
    checked: Callable[..., dict[str, list[str]]], faces: Faces
) -> None:
    assert checked(id=faces(1)["id"][0]) == {"be_unique id": [faces(1)["id"][0]] * 2}


@pytest.mark.parametrize("column", ["brightness", "contrast", "sharpness"])
def test_a_person_who_looked_knows_better_of_the_picture(
    checked: Callable[..., dict[str, list[str]]], column: str
) -> None:
    assert checked(**{column: 0.0, "reviewed": True}) == {}


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", "smug"), ("label", None), ("consented", False), ("in_base", True), ("width", 64),
     ("split", "none"), ("captured_at", datetime(1970, 1, 1, tzinfo=UTC))],
)  # fmt: skip
def test_a_person_cannot_waive_any_other_rule(
    checked: Callable[..., dict[str, list[str]]], column: str, value: object
) -> None:
    assert len(checked(**{column: value, "reviewed": True})) == 1


def test_a_time_that_nobody_knows_is_no_fault(
    checked: Callable[..., dict[str, list[str]]],
) -> None:
    assert checked(captured_at=pd.NaT) == {}


def test_a_rule_that_cannot_be_checked_is_an_error(faces: Faces, settings: ValidateParams) -> None:
    with pytest.raises(RuntimeError, match="could not be checked"):
        expectations.check_faces(faces(2), settings)


# -- batches ---------------------------------------------------------------------------------


def labels(settings: ValidateParams, counts: list[int],
           before: list[float] | None = None) -> dict[str, Finding]:  # fmt: skip
    """Judge a batch with so many training faces of each emotion; the mix before is `before`."""
    rows = pd.DataFrame({"label": EMOTIONS, "train_faces": counts})
    faces = pd.DataFrame({"label": np.repeat(EMOTIONS, counts)})
    mix = None if before is None else dict(zip(EMOTIONS, before, strict=True))
    found = expectations.check_labels(rows, mix, faces, settings)
    return {one.rule: one for one in found}


def test_an_emotion_with_too_few_faces_is_named(settings: ValidateParams) -> None:
    enough = settings.min_per_class
    (one,) = labels(settings, [enough] * 7).values()
    assert one.holds
    (one,) = labels(settings, [enough] * 3 + [enough - 1, enough, 0, enough]).values()
    assert not one.holds
    assert one.failed == ("happy", "surprise")


@pytest.mark.parametrize(
    ("counts", "holds"),
    [([100] * 7, True), ([110, 90, 100, 100, 100, 100, 100], True),
     ([1000, 20, 20, 20, 20, 20, 20], False), ([100] * 6 + [0], False)],
)  # fmt: skip
def test_a_label_mix_far_from_the_parents_is_told(
    settings: ValidateParams, counts: list[int], holds: bool
) -> None:
    lenient = settings.model_copy(update={"min_per_class": 0})
    (shift,) = (one for rule, one in labels(lenient, counts, [1 / 7] * 7).items() if "kl" in rule)
    assert shift.holds is holds
    assert float(shift.observed) >= 0


def test_an_emotion_that_is_new_is_judged_and_not_infinite(settings: ValidateParams) -> None:
    before = [1 / 6] * 6 + [0.0]
    found = labels(settings, [100] * 6 + [10], before)
    (shift,) = (one for rule, one in found.items() if "kl" in rule)
    assert float(shift.observed) < 1


def test_a_group_on_two_sides_is_named() -> None:
    (one,) = expectations.check_groups(pd.DataFrame({"group": ["a", "b"], "sides": [1, 2]}))
    assert not one.holds
    assert one.failed == ("b",)
    (one,) = expectations.check_groups(pd.DataFrame({"group": ["a", "b"], "sides": [1, 1]}))
    assert one.holds


def test_nothing_is_written_beside_the_checkout(
    checked: Callable[..., dict[str, list[str]]], tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("empty")
    (folder / "gx").mkdir()
    monkeypatch.chdir(folder)
    checked()
    assert [path.name for path in folder.rglob("*")] == ["gx"]
