"""A checkout with a registry, and candidates whose skill is known, made without a training."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore
from mlflow.tracking import MlflowClient
from mlflow.tracking._model_registry.registry import ModelRegistryStoreRegistry
from mlflow.tracking._tracking_service import utils as tracking_utils
from mlflow.tracking._tracking_service.registry import TrackingStoreRegistry

from fer.data import table
from fer.data.balance import DRAW
from fer.evaluation import answers, fresh, metrics
from fer.evaluation.scores import mean_over_domains
from fer.files import write_json
from fer.model.classifier import Classifier
from fer.params import PromoteParams
from fer.paths import Paths
from fer.records import Parent
from fer.registry import tracking, versions
from fer.registry.promote import PromoteReport, promote

PARAMS: Final = PromoteParams(
    confidence=0.95,
    resamples=1000,
    domain_margin=0.02,
    class_margin=0.05,
    class_support=200,
    # Not a test of this machine.
    max_ms_per_face=1e6,
    seed=1,
)

MD5: Final = "0123456789abcdef0123456789abcdef"
"""What the lock file of DVC says of the training table."""

CONSTANT: Final = 0
FAIR: Final = 1
GOOD: Final = 2
"""Skills: the line of the pictures that a model reads. Right on 34 %, 60 % and 90 %."""


@dataclass(frozen=True)
class Checkout:
    """A checkout as `evaluate` leaves it, to promote in."""

    paths: Paths
    model_file: Callable[..., Path]

    @property
    def client(self) -> MlflowClient:
        """A client of the checkout's registry."""
        return tracking.connect(self.paths)

    def candidate(
        self,
        skill: int,
        *,
        parent: Parent | None = None,
        seed: int = 1,
        sources: tuple[str, ...] = ("synthetic",),
    ) -> None:
        """Put a candidate there that has `skill`, with the reports that steps write of it."""
        self.model_file(
            self.paths.candidate, reads=skill, parent=parent, seed=seed, sources=sources
        )
        self.paths.candidate_weights.write_bytes(f"weights {skill} {seed}".encode())
        faces = table.read(self.paths.validation)
        truth, domains = answers.truth(faces), answers.domains(faces)
        told = Classifier(self.paths.candidate).probabilities(table.decode(faces["image"]))
        by_domain = metrics.scores_by_domain(truth, told, domains)
        scores = {
            "accuracy": mean_over_domains(by_domain),
            "overall": dataclasses.asdict(metrics.scores(truth, told)),
            "domains": {name: dataclasses.asdict(one) for name, one in by_domain.items()},
        }
        for name in ("metrics.json", "scores.json"):
            write_json(self.paths.report(name), scores)
        answers.record(faces, told, self.paths.report("predictions.csv"))

    def promote(self, **changes: object) -> PromoteReport:
        """Judge the candidate. `changes` are of `PARAMS`."""
        return promote(PARAMS.model_copy(update=changes), self.paths)

    def named(self, alias: str) -> int | None:
        """Return the number of the version that has `alias`."""
        version = versions.alias(self.client, alias)
        return int(version.version) if version else None

    def versions(self) -> int:
        """Return how many versions there are."""
        return len(self.client.search_model_versions("name='fer'"))

    def runs(self) -> int:
        """Return how many runs there are."""
        experiment = self.client.get_experiment_by_name("fer")
        return len(self.client.search_runs([experiment.experiment_id]))


Made = Callable[..., Path]
StandIn = Callable[[Path], Checkout]


@pytest.fixture(scope="session")
def judged(
    faces: Callable[..., pd.DataFrame], written: Callable[..., pd.DataFrame]
) -> pd.DataFrame:
    """300 validation faces with the answers of each skill written into them."""
    truth = np.arange(300) % 7
    truth[:70] = 3
    rng = np.random.default_rng(1)
    told = [np.full(300, 3)]
    for right in (0.6, 0.9):
        wrong = rng.random(300) >= right
        told.append(np.where(wrong, (truth + 1) % 7, truth))
    labels = [answers.EMOTIONS[place] for place in truth]
    domains = ["base"] * 200 + ["office"] * 100
    return written(faces(300, label=labels, domain=domains, split="validation"), *told)


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `mlruns` without a run: making its database takes seconds."""
    root = tmp_path_factory.mktemp("empty registry")
    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(root):
        patched.delenv("MLFLOW_TRACKING_URI", raising=False)
        with _no_store_known():
            tracking.connect(Paths(root))
    return root / "mlruns"


@pytest.fixture(scope="session")
def champion_registry(made: Made, empty_registry: Path) -> Path:
    """The folder `mlruns` with a champion, version 1, of skill `FAIR`."""
    return made(empty_registry, FAIR)


@pytest.fixture(scope="session")
def long_registry(made: Made, champion_registry: Path) -> Path:
    """The folder `mlruns` with champion 2, promoted over version 1, and version 3, refused."""
    return made(champion_registry, GOOD, CONSTANT)


@pytest.fixture(scope="session")
def made(
    tmp_path_factory: pytest.TempPathFactory, judged: pd.DataFrame, model_file: Callable[..., Path]
) -> Made:
    """Return a function that copies a registry and judges candidates of some skills in it."""

    def make(registry: Path, *skills: int) -> Path:
        root = tmp_path_factory.mktemp("registry")
        shutil.copytree(registry, root / "mlruns")
        for name in ("params.yaml", "dvc.yaml"):
            shutil.copy(Path(__file__).parents[2] / name, root)
        checkout = _furnish(Paths(root), judged, model_file)
        with pytest.MonkeyPatch.context() as patched, contextlib.chdir(root), _no_store_known():
            _patch(patched)
            for skill in skills:
                checkout.candidate(skill)
                checkout.promote()
        return root / "mlruns"

    return make


@pytest.fixture
def registry(stand_in: StandIn, empty_registry: Path) -> Checkout:
    """A checkout that the process stands in, with an empty registry."""
    return stand_in(empty_registry)


@pytest.fixture
def ruled(stand_in: StandIn, champion_registry: Path) -> Checkout:
    """A checkout that the process stands in, with a champion, version 1, of skill `FAIR`."""
    return stand_in(champion_registry)


@pytest.fixture
def twice(stand_in: StandIn, long_registry: Path) -> Checkout:
    """A checkout with champion 2, promoted over version 1, and version 3, refused."""
    return stand_in(long_registry)


@pytest.fixture
def stand_in(
    paths: Paths,
    judged: pd.DataFrame,
    model_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[StandIn]:
    """Return a function that makes a checkout with a copy of a registry and steps into it."""

    def make(registry: Path) -> Checkout:
        shutil.copytree(registry, paths.mlruns)
        monkeypatch.chdir(paths.root)
        _patch(monkeypatch)
        return _furnish(paths, judged, model_file)

    with _no_store_known():
        yield make


@pytest.fixture
def forget_stores() -> Iterator[Callable[[], None]]:
    """Return what makes MLflow forget its connections, as a new process would."""
    with _no_store_known():
        yield _forget_stores


def _furnish(paths: Paths, judged: pd.DataFrame, model_file: Callable[..., Path]) -> Checkout:
    """Write what the steps before `promote` write, but for the candidate."""
    table.write(paths.validation, judged)
    learnt = judged.head(20).assign(split="train", new=True, draw=1.0, weight=1.0)
    table.write(paths.train, learnt, extra=DRAW)
    for name in ("confusion", "history", "reliability", "mistakes"):
        path = paths.report(f"{name}.png")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x89PNG")
    write_json(paths.report("validation.json"), {"accepted": True})
    write_json(paths.report("balance.json"), {"new": 20})
    write_json(paths.report("train.json"), {"seconds": 1.5})
    history = pd.DataFrame({
        "epoch": [1, 2], "loss": [2.0, 1.0], "accuracy": [0.3, 0.6], "monitor_loss": [2.1, 1.4],
        "monitor_accuracy": [0.2, 0.5], "learning_rate": [0.003, 0.001],
    })  # fmt: skip
    history.to_csv(paths.report("history.csv"), index=False)
    outs = [{"path": "data/train.parquet", "md5": MD5}]
    (paths.root / "dvc.lock").write_text(yaml.safe_dump({"stages": {"balance": {"outs": outs}}}))
    return Checkout(paths, model_file)


def _patch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
    # The same look, without a process of its own: that costs seconds, and has tests of its own.
    monkeypatch.setattr(fresh, "check", fresh._look)


@contextlib.contextmanager
def _no_store_known() -> Iterator[None]:
    """MLflow keeps a connection for each URI, and all checkouts have the same, relative one."""
    _forget_stores()
    try:
        yield
    finally:
        _forget_stores()
        mlflow.set_tracking_uri(None)
        # MLflow writes it there when it is told a URI.
        os.environ.pop("MLFLOW_TRACKING_URI", None)


def _forget_stores() -> None:
    for store in (TrackingStore, RegistryStore):
        for engine in store._engine_map.values():
            engine.dispose()
        store._engine_map.clear()
    TrackingStoreRegistry._get_store_with_resolved_uri.cache_clear()
    ModelRegistryStoreRegistry._get_store_with_resolved_uri.cache_clear()
    tracking_utils._artifact_repos_cache.clear()
