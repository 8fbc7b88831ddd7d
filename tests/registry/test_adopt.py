"""Real faces start from the shipped champion; drawn ones never take its place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fer import audit
from fer.errors import RegistryError
from fer.files import sha256
from fer.records import Parent
from fer.registry import adopt, versions
from tests.registry.conftest import FAIR, GOOD, Checkout

REAL = ("fer2013", "webcam")


@pytest.fixture(autouse=True)
def shipped(
    tmp_path: Path, model_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A shipped champion of skill `GOOD`."""
    model = model_file(tmp_path / "shipped.onnx", reads=GOOD, seed=7, sources=("fer2013",))
    weights = tmp_path / "shipped.keras"
    weights.write_bytes(b"weights that are shipped")
    monkeypatch.setattr(adopt, "SHIPPED_MODEL", model)
    monkeypatch.setattr(adopt, "SHIPPED_WEIGHTS", weights)
    return model


def test_the_first_candidate_for_real_faces_meets_the_shipped_champion(registry) -> None:
    registry.candidate(FAIR, sources=REAL)

    report = registry.promote()

    assert report.verdict == "refused"
    assert registry.named("champion") == report.champion != report.version
    assert registry.versions() == 2


def test_the_shipped_champion_is_registered_once(registry) -> None:
    for seed in (1, 2):
        registry.candidate(FAIR, sources=REAL, seed=seed)
        registry.promote()

    assert registry.versions() == 3


def test_the_shipped_champion_is_what_a_first_update_starts_from(registry, shipped: Path) -> None:
    pinned = adopt.pin_champion(registry.paths, None, real=True)

    assert pinned is not None
    assert pinned.real
    assert pinned.version == registry.named("champion") == 1
    assert pinned.model_sha256 == sha256(shipped)
    assert registry.paths.parent_weights.read_bytes() == b"weights that are shipped"


def test_for_real_faces_the_shipped_champion_takes_the_place_of_a_drawn_one(ruled) -> None:
    pinned = adopt.pin_champion(ruled.paths, None, real=True)

    assert pinned is not None
    assert (ruled.named("champion"), ruled.named("previous")) == (pinned.version, 1)
    (said,) = audit.read(ruled.paths).entries
    assert (said["kind"], said["version"], said["before"]) == ("promotion", pinned.version, 1)


def test_a_clone_goes_on_from_the_parent_that_came_with_it(registry) -> None:
    elsewhere = Parent(7, 3, "ab", "cd", real=True)

    assert adopt.pin_champion(registry.paths, elsewhere, real=True) == elsewhere
    assert registry.versions() == 0


def test_a_parent_of_drawn_faces_gives_way_to_the_shipped_champion(registry) -> None:
    pinned = adopt.pin_champion(registry.paths, Parent(7, 3, "ab", "cd"), real=True)

    assert pinned is not None
    assert (pinned.version, pinned.real) == (1, True)


def test_a_candidate_of_drawn_faces_never_replaces_a_champion_of_real_ones(registry) -> None:
    adopt.pin_champion(registry.paths, None, real=True)
    registry.candidate(GOOD)

    with pytest.raises(RegistryError, match=r"base\.source"):
        registry.promote()

    assert (registry.named("champion"), registry.versions()) == (1, 1)


def test_a_better_candidate_for_real_faces_takes_over_from_the_shipped_one(
    registry, model_file: Callable[..., Path], shipped: Path
) -> None:
    model_file(shipped, reads=FAIR, sources=("fer2013",))
    registry.candidate(GOOD, sources=REAL)

    report = registry.promote()

    assert report.verdict == "promoted"
    assert versions.alias(registry.client, "champion").tags["sources"] == "fer2013,webcam"
    assert registry.named("previous") == 1


def test_for_drawn_faces_nothing_is_adopted(registry) -> None:
    assert adopt.pin_champion(registry.paths, None, real=False) is None
    registry.candidate(FAIR)

    assert registry.promote().verdict == "promoted"
    assert registry.versions() == 1


# -- an update starts where the champion's updates began ---------------------------------------


def _as_parent(checkout: Checkout, number: int) -> Parent:
    """Return version `number` as a champion's file names it that was started from it."""
    model, weights = versions.files(versions.get(checkout.client, number))
    return Parent(number, 1, sha256(weights), sha256(model))


@pytest.fixture
def updated(ruled: Checkout) -> Checkout:
    """Champion 2 learnt from champion 1, which had no parent."""
    ruled.candidate(GOOD, parent=_as_parent(ruled, 1))
    assert ruled.promote().verdict == "promoted"
    return ruled


def test_an_update_starts_where_the_champions_updates_began(updated: Checkout) -> None:
    pinned = adopt.pin_champion(updated.paths, None, real=False)

    assert updated.named("champion") == 2
    assert pinned == _as_parent(updated, 1)
    assert pinned.weights_sha256 == sha256(updated.paths.parent_weights)


def test_that_is_found_through_updates_of_updates(
    updated: Checkout, model_file: Callable[..., Path]
) -> None:
    updated.candidate(GOOD, parent=_as_parent(updated, 2), seed=2)
    updated.promote()
    versions.rollback(updated.paths, 3)  # to it: as good as 2, it was refused

    assert adopt.pin_champion(updated.paths, None, real=False) == _as_parent(updated, 1)


def test_a_champion_that_took_no_weights_from_its_parent_is_a_beginning(
    ruled: Checkout, model_file: Callable[..., Path]
) -> None:
    ruled.candidate(GOOD)
    parent = _as_parent(ruled, 1)
    model_file(ruled.paths.candidate, reads=GOOD, parent=parent, lane="scratch")
    ruled.promote()

    pinned = adopt.pin_champion(ruled.paths, None, real=False)

    assert pinned is not None
    assert pinned.version == ruled.named("champion") == 2


@pytest.mark.parametrize("number", [1, 70], ids=["another version here", "no version here"])
def test_where_that_is_of_another_registry_an_update_starts_from_the_champion(
    ruled: Checkout, number: int
) -> None:
    ruled.candidate(GOOD, parent=Parent(number, 1, "a" * 64, "b" * 64))
    ruled.promote()

    pinned = adopt.pin_champion(ruled.paths, None, real=False)

    assert pinned is not None
    assert pinned.version == ruled.named("champion") == 2


def test_in_a_clone_it_starts_from_the_parent_that_came_with_it(
    registry: Checkout, model_file: Callable[..., Path]
) -> None:
    paths = registry.paths
    model_file(paths.parent, reads=FAIR)
    paths.parent_weights.write_bytes(b"weights from home")
    home = Parent(7, 1, sha256(paths.parent_weights), sha256(paths.parent))
    registry.candidate(GOOD, parent=home)
    assert registry.promote().verdict == "promoted"

    pinned = adopt.pin_champion(paths, None, real=False)

    assert registry.named("champion") == 2
    assert pinned is not None
    assert (pinned.version, pinned.weights_sha256) == (1, home.weights_sha256)
