"""The registry as the live part meets it: loaded with the first question, not before.

MLflow takes seconds to load; a page that waited for it would open late.
"""

import os
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from fer.live.predictor import SHIPPED_VERSION
from fer.paths import SHIPPED_MODEL, Paths


class Named:
    """Looks up who has a name in the registry; may be shared by threads.

    Args:
        paths: The checkout.
    """

    def __init__(self, paths: Paths) -> None:
        """See the class."""
        self._paths = paths
        self._client: Any = None
        self._connecting = threading.Lock()

    def file(self, version: int) -> Path:
        """Return the ONNX file of `version`; fetched where the store is elsewhere."""
        if version == SHIPPED_VERSION:
            return SHIPPED_MODEL
        model: Path = self._versions().files(self._versions().get(self._connected(), version))[0]
        return model

    def _who_is(self, name: str) -> int | None:
        """Return the number of the version that has the name of this constant; None: nobody."""
        if not self._paths.registry.exists() and not os.environ.get("MLFLOW_TRACKING_URI"):
            return None
        found = self._versions().alias(self._connected(), getattr(self._versions(), name))
        return int(found.version) if found else None

    def _connected(self) -> Any:
        # Once: each connection takes the registry's lock.
        with self._connecting:
            if self._client is None:
                self._client = import_module("fer.registry.tracking").connect(self._paths)
            return self._client

    @staticmethod
    def _versions() -> Any:
        return import_module("fer.registry.versions")


class Champion(Named):
    """The version that answers, and what can be asked about all."""

    def version(self) -> int:
        """Return the champion's number; `SHIPPED_VERSION` where there is none yet."""
        found = self._who_is("CHAMPION")
        return SHIPPED_VERSION if found is None else found

    def listed(self) -> list[Any]:
        """Return every `registry.versions.Version`, newest first."""
        found: list[Any] = self._versions().listed(self._connected())
        return found

    def decision(self, candidate_sha256: str) -> dict[str, Any] | None:
        """Return what the gate found of a candidate; None: it was judged elsewhere, or not yet."""
        found: dict[str, Any] | None = self._versions().read_decision(
            self._paths, candidate_sha256
        )
        return found

    def rollback(self, version: int | None) -> tuple[int, int]:
        """Give the champion's place back; see `registry.versions.rollback`."""
        moved: tuple[int, int] = self._versions().rollback(self._paths, version)
        return moved


class Shadow(Named):
    """The version that answers beside the champion, unseen."""

    def version(self) -> int | None:
        """Return its number; None: there is none."""
        return self._who_is("SHADOW")
