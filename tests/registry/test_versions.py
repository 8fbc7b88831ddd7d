"""Versions are listed, compared, pinned, and the champion's place is given back."""

import shutil

import pytest

from fer import audit
from fer.errors import Busy, RegistryError
from fer.files import locked, sha256
from fer.registry import adopt, listing, versions
from tests.registry.conftest import GOOD, PARAMS


def test_a_rollback_returns_to_the_previous_champion(twice) -> None:
    before, after = versions.rollback(twice.paths, None)

    assert (before, after) == (2, 1)
    assert (twice.named("champion"), twice.named("previous")) == (1, 2)
    assert twice.client.get_model_version("fer", "2").tags["verdict"] == "rolled back"
    moved = [
        (one["kind"], one["version"], one["before"]) for one in audit.read(twice.paths).entries
    ]
    assert moved == [("rollback", 1, 2)]


def test_a_rollback_may_name_any_version(twice) -> None:
    assert versions.rollback(twice.paths, 3) == (2, 3)
    assert twice.named("champion") == 3


def test_what_was_rolled_back_comes_again_only_by_its_number(twice) -> None:
    versions.rollback(twice.paths, None)

    with pytest.raises(RegistryError, match="was rolled back itself"):
        versions.rollback(twice.paths, None)
    assert versions.rollback(twice.paths, 2) == (1, 2)
    verdicts = {one.number: one.tags["verdict"] for one in versions.listed(twice.client)}
    assert verdicts[2] == "promoted"


@pytest.mark.parametrize(
    ("number", "told"), [(2, "champion already"), (9, "received 9. Known: 3, 2, 1")]
)
def test_a_rollback_to_nowhere_is_refused(twice, number: int, told: str) -> None:
    with pytest.raises(RegistryError, match=told):
        versions.rollback(twice.paths, number)

    assert twice.named("champion") == 2


def test_without_a_champion_before_there_is_nothing_to_return_to(ruled) -> None:
    with pytest.raises(RegistryError, match="none before it"):
        versions.rollback(ruled.paths, None)


def test_an_empty_registry_has_no_champion_to_roll_back(registry) -> None:
    with pytest.raises(RegistryError, match="no champion"):
        versions.rollback(registry.paths, None)


def test_no_rollback_while_a_promotion_runs(twice) -> None:
    with locked(twice.paths.lock("promote")), pytest.raises(Busy):
        versions.rollback(twice.paths, None)


def test_the_champion_is_pinned_with_both_its_files(twice) -> None:
    pinned = adopt.pin_champion(twice.paths, None, real=False)

    assert pinned is not None
    assert (pinned.version, pinned.data_version) == (2, 1)
    assert pinned.model_sha256 == sha256(twice.paths.parent)
    assert pinned.weights_sha256 == sha256(twice.paths.parent_weights)
    assert twice.paths.parent_weights.read_bytes() == f"weights {GOOD} 1".encode()


def test_without_a_champion_none_is_pinned(registry) -> None:
    assert adopt.pin_champion(registry.paths, None, real=False) is None
    assert not registry.paths.parent.exists()


def test_the_list_is_newest_first_with_aliases_and_verdicts(twice) -> None:
    found = versions.listed(twice.client)

    assert [one.number for one in found] == [3, 2, 1]
    assert [one.aliases for one in found] == [(), ("champion",), ("previous",)]
    assert [one.tags["verdict"] for one in found] == ["refused", "promoted", "promoted"]


def test_the_table_for_people_has_a_line_a_version(twice) -> None:
    head, *lines = listing.table(twice.paths).splitlines()

    assert head.split()[:3] == ["version", "alias", "accuracy"]
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert "champion" in lines[1]
    assert "refused: better on the whole" in lines[0]


def test_an_empty_list_says_what_to_do(registry) -> None:
    assert listing.table(registry.paths).startswith("No version yet: the shipped champion serves.")


def test_two_versions_are_compared_on_the_faces_of_today(twice) -> None:
    *domains, last = listing.compared(twice.paths, 1, 2, PARAMS).splitlines()[1:]

    assert [line.split()[:2] for line in domains] == [["base", "200"], ["office", "100"]]
    for line in domains:
        first, second = map(float, line.split()[2:])
        assert second > first
    assert last.startswith("difference +")


def test_a_version_compared_with_itself_is_no_better(twice) -> None:
    assert "difference +0.0 points" in listing.compared(twice.paths, 2, 2, PARAMS)


def test_an_unknown_version_is_not_compared(twice) -> None:
    with pytest.raises(RegistryError, match="received 8"):
        listing.compared(twice.paths, 1, 8, PARAMS)


def test_a_version_whose_files_are_gone_is_told_from_a_bug(twice) -> None:
    shutil.rmtree(twice.paths.mlruns / "artifacts")

    with pytest.raises(RegistryError, match="version 2"):
        adopt.pin_champion(twice.paths, None, real=False)


# -- the shadow ------------------------------------------------------------------------------


def test_a_version_can_be_let_answer_beside_the_champion_and_be_called_back(twice) -> None:
    versions.cast_shadow(twice.paths, 3)
    assert (twice.named("shadow"), twice.named("champion")) == (3, 2)
    assert versions.listed(twice.client)[0].aliases == ("shadow",)

    for _ in range(2):
        versions.cast_shadow(twice.paths, None)
        assert twice.named("shadow") is None


@pytest.mark.parametrize(("number", "told"), [(2, "is the champion"), (9, "received 9")])
def test_a_shadow_is_a_version_that_is_not_champion(twice, number: int, told: str) -> None:
    with pytest.raises(RegistryError, match=told):
        versions.cast_shadow(twice.paths, number)
