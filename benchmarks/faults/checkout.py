"""The checkout that is disturbed: the product's code, small settings, a DVC remote."""

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

_REPOSITORY: Final = Path(__file__).parents[2]

_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "base": {"synthetic": {"camera": "studio", "subjects": 24, "faces_per_subject": 7,
                           "validation_share": 0.3}},
    "validate": {"min_per_class": 3, "max_label_shift": 1.0},
    "train": {"network": "plain", "widths": [16, 32], "epochs": 6, "update_epochs": 8,
              "batch_size": 16, "learning_rate": 0.01, "update_learning_rate": 0.01,
              "dropout": 0.0},
    "promote": {"confidence": 0.51, "resamples": 1000, "class_margin": 0.9, "domain_margin": 0.9,
                "max_ms_per_face": 1000.0},
    "update": {"retries": 0},
}  # fmt: skip
"""What differs from params.yaml: small, and no verdict that hangs on how busy the machine is."""

_DVC: Final = """\
[core]
    no_scm = True
    analytics = false
    remote = beside
    site_cache_dir = site
['remote "beside"']
    url = ../remote
"""


def make(root: Path) -> None:
    """Make it at `root`: code and settings alone, under DVC without git."""
    for name in ("fer", "pipelines"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_REPOSITORY / name, root / name, ignore=unwanted)
    settings = yaml.safe_load((_REPOSITORY / "params.yaml").read_text("utf-8"))
    for section, values in _SETTINGS.items():
        settings[section] |= values
    (root / "params.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    shutil.copy(_REPOSITORY / "dvc.yaml", root)
    (root / "data").mkdir()
    shutil.copy(_REPOSITORY / "data" / "version.json", root / "data")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text(_DVC, "utf-8")
    (root / "remote").mkdir()
