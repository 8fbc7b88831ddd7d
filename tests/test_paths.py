"""A checkout is found from anywhere in it, and all its files lie in it."""

import inspect
from pathlib import Path

import pytest

from fer.errors import FerError
from fer.paths import Paths


def test_the_checkout_is_found_from_a_folder_in_it(paths: Paths) -> None:
    folder = paths.root / "data" / "inbox"
    folder.mkdir(parents=True)
    assert Paths.find(folder) == paths
    assert Paths.find(paths.root) == paths


def test_the_inner_checkout_goes_before_the_outer_one(paths: Paths) -> None:
    inner = Paths(paths.root / "inner")
    inner.root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        (inner.root / name).touch()
    assert Paths.find(inner.root) == inner


def test_elsewhere_the_checkout_of_the_code_is_found(tmp_path: Path) -> None:
    root = Paths.find(tmp_path).root
    assert (root / "fer" / "paths.py").is_file()


def test_without_any_checkout_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer.paths.__file__", str(tmp_path / "site-packages" / "fer" / "paths.py"))
    with pytest.raises(FerError, match="Change into the checkout"):
        Paths.find(tmp_path)


def test_every_file_lies_in_the_checkout_under_its_own_name(paths: Paths) -> None:
    names = [name for name, kind in inspect.getmembers(Paths) if isinstance(kind, property)]
    places = [getattr(paths, name) for name in names]
    places += [paths.report("metrics.json"), paths.lock("train"), paths.lock("balance")]
    assert all(place.is_relative_to(paths.root) for place in places)
    assert len(set(places)) == len(places)


def test_what_dvc_makes_is_where_the_code_looks(paths: Paths) -> None:
    stages = (paths.root / "dvc.yaml").read_text(encoding="utf-8")
    made = [paths.base, paths.refused, paths.train, paths.monitor, paths.validation,
            paths.candidate, paths.candidate_weights, paths.version]  # fmt: skip
    for file in made:
        assert file.relative_to(paths.root).as_posix() in stages
