"""Every check, one after the other; one that cannot even load is a finding, too."""

from collections.abc import Iterator
from importlib import import_module
from typing import Final

from fer.doctor.findings import Finding
from fer.errors import FerError
from fer.paths import Paths

CHECKS: Final = {
    "python": "fer.doctor.machine",
    "packages": "fer.doctor.machine",
    "settings": "fer.doctor.checkout",
    "folders": "fer.doctor.machine",
    "space": "fer.doctor.machine",
    "locks": "fer.doctor.machine",
    "leftovers": "fer.doctor.machine",
    "dvc": "fer.doctor.checkout",
    "data": "fer.doctor.checkout",
    "registry": "fer.doctor.checkout",
    "remote": "fer.doctor.checkout",
    "backup": "fer.doctor.checkout",
    "prefect": "fer.doctor.checkout",
    "detector": "fer.doctor.checkout",
    "camera": "fer.doctor.checkout",
}
"""Name of each check, which is a function of `Paths` that returns a `Finding`; and its module."""


def examine(paths: Paths) -> Iterator[tuple[str, Finding]]:
    """Yield the name and the finding of each of `CHECKS`."""
    for name, module in CHECKS.items():
        try:
            # Loaded here: without one of their libraries the other checks still answer.
            finding: Finding = getattr(import_module(module), name)(paths)
        except FerError as error:
            finding = Finding("problem", str(error))
        # Whatever is broken is what this command is for.
        except Exception as error:  # noqa: BLE001
            finding = Finding("problem", f"This could not be looked at: {error!r}.")
        yield name, finding
