"""Who learnt from a forgotten person leaves; who did not takes the place."""

import json
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from fer.errors import RegistryError
from fer.records import Span
from fer.registry import adopt, retire, versions
from tests.registry.conftest import GOOD

ONE, TWO = Span(1, 1), Span(2, 2)


@pytest.fixture
def grown(ruled):
    """Champion 1 learnt from data version 1, champion 2 from data version 2."""
    ruled.model_file(ruled.paths.candidate, reads=GOOD, parent=None, seed=2, data_version=2)
    promoted = _promoted(ruled)
    assert (promoted.verdict, ruled.named("champion"), ruled.named("previous")) == (
        "promoted", 2, 1,
    )  # fmt: skip
    return ruled


def _promoted(checkout):
    file = checkout.paths.candidate.read_bytes()
    checkout.candidate(GOOD, seed=2)
    checkout.paths.candidate.write_bytes(file)
    return checkout.promote()


def state(checkout) -> dict[str, object]:
    """All that must not depend on where a retirement was cut short."""
    return {
        "named": (checkout.named("champion"), checkout.named("previous")),
        "verdicts": {one.number: one.tags["verdict"] for one in versions.listed(checkout.client)},
        "decided": sorted(json.loads(file.read_text())["verdict"]
                          for file in checkout.paths.decisions.glob("*.json")),
        "files": sorted(file.name for file in (checkout.paths.mlruns / "artifacts").rglob("*.*")),
    }  # fmt: skip


def models(checkout) -> int:
    return len(list((checkout.paths.mlruns / "artifacts").rglob("*.onnx")))


def drawings(checkout) -> int:
    return len(list((checkout.paths.mlruns / "artifacts").rglob("mistakes.png")))


def test_the_last_one_that_did_not_learn_from_them_takes_the_place(grown) -> None:
    retired = retire.retire(grown.paths, TWO, TWO)

    assert (retired.versions, retired.champion) == ([2], 1)
    assert (grown.named("champion"), grown.named("previous")) == (1, None)
    assert (models(grown), drawings(grown)) == (1, 1)
    assert adopt.pin_champion(grown.paths, None, real=False).version == 1


def test_a_shadow_that_learnt_from_them_answers_no_more(grown) -> None:
    versions.rollback(grown.paths, 1)
    versions.cast_shadow(grown.paths, 2)

    retire.retire(grown.paths, TWO, TWO)

    assert (grown.named("champion"), grown.named("shadow")) == (1, None)


def test_the_one_before_goes_and_the_champion_stays(grown) -> None:
    retired = retire.retire(grown.paths, ONE, ONE)

    assert (retired.versions, retired.champion) == ([1], 2)
    assert (grown.named("champion"), grown.named("previous")) == (2, None)


def test_where_all_learnt_from_them_nobody_has_the_place(grown) -> None:
    retired = retire.retire(grown.paths, Span(1, 2), Span(1, 2))

    assert (retired.versions, retired.champion) == ([1, 2], None)
    assert (grown.named("champion"), grown.named("previous")) == (None, None)
    assert (models(grown), drawings(grown)) == (0, 0)
    assert adopt.pin_champion(grown.paths, None, real=False) is None


def test_who_was_refused_or_rolled_back_does_not_take_the_place(twice) -> None:
    versions.rollback(twice.paths, None)
    client = twice.client
    client.set_model_version_tag("fer", "1", "data_version", "5")

    assert retire.retire(twice.paths, Span(5, 5), Span(5, 5)).champion is None


def test_where_they_were_held_out_only_the_drawing_goes(grown) -> None:
    retired = retire.retire(grown.paths, TWO, None)

    assert (retired.versions, retired.champion) == ([], 2)
    assert (models(grown), drawings(grown)) == (2, 1)


def test_the_place_is_not_given_back(grown) -> None:
    retire.retire(grown.paths, TWO, TWO)

    for number in (2, None):
        with pytest.raises(RegistryError):
            versions.rollback(grown.paths, number)
    again = grown.promote()
    assert (again.verdict, again.decided_before) == ("erased", True)
    for file in grown.paths.decisions.glob("*.json"):
        file.unlink()
    assert grown.promote().verdict == "erased"
    assert grown.named("champion") == 1


def test_a_version_that_does_not_say_what_it_learnt_from_is_counted_in(grown) -> None:
    grown.client.delete_model_version_tag("fer", "1", "data_version")

    assert retire.learnt_from(grown.paths, TWO) == [1, 2]


CALLS = ("set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias")


@pytest.mark.parametrize("span", [TWO, Span(1, 2)])
def test_cut_short_anywhere_and_repeated_it_ends_the_same(
    grown, monkeypatch, tmp_path: Path, span: Span
) -> None:
    class Cut(Exception):
        pass

    left = [0]

    def deadly(name: str):
        real = getattr(MlflowClient, name)

        def call(*arguments, **named):
            left[0] -= 1
            if left[0] == 0:
                raise Cut
            return real(*arguments, **named)

        return call

    for name in CALLS:
        monkeypatch.setattr(MlflowClient, name, deadly(name))
    cuts = 0
    for number in range(1, 20):
        left[0] = number
        try:
            retire.retire(grown.paths, span, span)
            break
        except Cut:
            cuts += 1
    assert cuts > 1
    done = state(grown)
    left[0] = 0
    retire.retire(grown.paths, span, span)
    assert state(grown) == done
    assert done["named"] == ((1, None) if span == TWO else (None, None))
