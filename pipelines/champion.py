"""From FER2013 and FER+ to the model that comes with the product.

`python -m pipelines.champion PATH`, or `make champion DATA=PATH`. Works in `.fer/champion`, apart
from the checkout's own data and registry; stopped and run again, training goes on at the last
epoch.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from fer.data import version
from fer.files import write_text
from fer.paths import SHIPPED, SHIPPED_MODEL, SHIPPED_WEIGHTS, Paths
from fer.records import DataVersion
from pipelines.commands import ROOT, environment

_TEACHERS: Final = (1, 2)
"""Seeds of the models that teach the one that is shipped, by the same recipe."""


def main() -> None:
    """Train it, put it in its place, and print how it does on PublicTest."""
    parser = argparse.ArgumentParser(prog="pipelines.champion", description=main.__doc__)
    parser.add_argument("data", type=Path, help="fer2013.csv with fer2013new.csv beside it")
    data = parser.parse_args().data.expanduser().resolve()
    teachers = [_teacher(data, seed) for seed in _TEACHERS]
    workspace = _prepare(data, "student", teachers=teachers)
    _train(workspace)
    _fer(workspace, "evaluate")
    shutil.copyfile(workspace.candidate, SHIPPED_MODEL)
    shutil.copyfile(workspace.candidate_weights, SHIPPED_WEIGHTS)
    _fer(workspace, "evaluate", "--split", "validation", "--data", str(data))
    shutil.copyfile(workspace.report("official-validation.json"), SHIPPED / "figures.json")


def _teacher(data: Path, seed: int) -> str:
    """Return the model of this seed, trained once for one recipe."""
    workspace = _prepare(data, f"teacher-{seed}", seed=seed, teachers=[])
    if not workspace.report("train.json").is_file():  # what `train` writes last
        _train(workspace)
    return os.fspath(workspace.candidate)


def _train(workspace: Paths) -> None:
    for step in ("base", "validate", "balance", "train"):
        _fer(workspace, step)


def _prepare(data: Path, name: str, **train: Any) -> Paths:
    """Make a checkout of settings and an empty data version alone; `train` are settings of it."""
    workspace = Paths(ROOT / ".fer" / "champion" / name)
    settings = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    settings |= yaml.safe_load((SHIPPED / "recipe.yaml").read_text("utf-8"))
    settings["base"]["path"] = str(data)
    settings["train"] |= train
    workspace.version.parent.mkdir(parents=True, exist_ok=True)
    wanted = yaml.safe_dump(settings, sort_keys=False)
    if not workspace.params.is_file() or workspace.params.read_text("utf-8") != wanted:
        workspace.report("train.json").unlink(missing_ok=True)
        write_text(workspace.params, wanted)
    version.write(workspace.version, DataVersion())
    # What marks a checkout's root.
    shutil.copyfile(ROOT / "dvc.yaml", workspace.root / "dvc.yaml")
    return workspace


def _fer(workspace: Paths, *arguments: str) -> None:
    print(f"fer {' '.join(arguments)}", flush=True)  # noqa: T201  progress
    done = subprocess.run(
        [sys.executable, "-m", "fer", *arguments],
        cwd=workspace.root,
        env={**environment(), "PYTHONPATH": os.fspath(ROOT)},
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
