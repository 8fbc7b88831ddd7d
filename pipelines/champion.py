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
import zipfile
from pathlib import Path

import yaml

from fer.data import version
from fer.files import replacing, write_text
from fer.paths import SHIPPED, SHIPPED_MODEL, SHIPPED_RECIPE, SHIPPED_WEIGHTS, Paths
from fer.records import DataVersion
from pipelines.commands import ROOT, environment


def main() -> None:
    """Train it, put it in its place, and print how it does on PublicTest."""
    parser = argparse.ArgumentParser(prog="pipelines.champion", description=main.__doc__)
    parser.add_argument("data", type=Path, help="fer2013.csv with fer2013new.csv beside it")
    data = parser.parse_args().data.expanduser().resolve()
    workspace = _prepare(data)
    for step in ("base", "validate", "balance", "train", "evaluate"):
        _fer(workspace, step)
    shutil.copyfile(workspace.candidate, SHIPPED_MODEL)
    _pack(workspace.candidate_weights, SHIPPED_WEIGHTS)
    _fer(workspace, "evaluate", "--split", "validation", "--data", str(data))
    shutil.copyfile(workspace.report("official-validation.json"), SHIPPED / "figures.json")


def _prepare(data: Path) -> Paths:
    """Make a checkout of settings and an empty data version alone."""
    workspace = Paths(ROOT / ".fer" / "champion")
    settings = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    settings |= yaml.safe_load(SHIPPED_RECIPE.read_text("utf-8"))
    settings["base"]["path"] = str(data)
    workspace.version.parent.mkdir(parents=True, exist_ok=True)
    write_text(workspace.params, yaml.safe_dump(settings, sort_keys=False))
    version.write(workspace.version, DataVersion())
    # What marks a checkout's root.
    shutil.copyfile(ROOT / "dvc.yaml", workspace.root / "dvc.yaml")
    return workspace


def _pack(source: Path, target: Path) -> None:
    """Copy a Keras file, which is a zip that packs nothing, packed: a tenth less to clone."""
    with (
        replacing(target) as temporary,
        zipfile.ZipFile(source) as loose,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed,
    ):
        for entry in loose.infolist():
            packed.writestr(entry.filename, loose.read(entry))


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
