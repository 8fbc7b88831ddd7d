"""Where every file lives. Nothing else in the product spells a path of the checkout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer.errors import FerError

MISTAKES: Final = "mistakes.png"
"""The one plot that shows faces, which cannot be searched for them."""

SHIPPED: Final = Path(__file__).parent / "shipped"
"""The champion for real faces that comes with the product: recipe, files, model card."""

SHIPPED_MODEL: Final = SHIPPED / "champion.onnx"
SHIPPED_WEIGHTS: Final = SHIPPED / "champion.keras"
SHIPPED_RECIPE: Final = SHIPPED / "recipe.yaml"


@dataclass(frozen=True)
class Paths:
    """The files of one checkout.

    Args:
        root: Folder that holds `params.yaml` and `dvc.yaml`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path) -> "Paths":
        """Return the paths of the checkout around `start`, else of the one this code is in.

        Raises:
            FerError: Neither holds `params.yaml` and `dvc.yaml`.
        """
        for folder in (start, *start.parents, Path(__file__).parents[1]):
            if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
                return cls(folder)
        raise FerError(
            f"Expected params.yaml and dvc.yaml in {start} or a folder above it, found neither. "
            "Change into the checkout."
        )

    @property
    def params(self) -> Path:
        """Settings, one section a step."""
        return self.root / "params.yaml"

    @property
    def dvc_lock(self) -> Path:
        """What DVC knows of the stages: the MD5 of all that they read and wrote."""
        return self.root / "dvc.lock"

    @property
    def dvc_work(self) -> Path:
        """Where DVC keeps its locks."""
        return self.root / ".dvc" / "tmp"

    # -- data ------------------------------------------------------------------------------

    @property
    def inbox(self) -> Path:
        """New faces and decisions of people, until `ingest` takes them."""
        return self.root / "data" / "inbox"

    @property
    def quarantine(self) -> Path:
        """Faces that `ingest` refused, one table a face, with the reason."""
        return self.root / "data" / "quarantine"

    @property
    def captures(self) -> Path:
        """Immutable shards of ingested faces, each with its `.dvc` file."""
        return self.root / "data" / "captures"

    @property
    def version(self) -> Path:
        """The data version: names every shard, the decisions and the parent."""
        return self.root / "data" / "version.json"

    @property
    def receipts(self) -> Path:
        """What was erased, by content: proof, and a bar to its coming back."""
        return self.root / "data" / "receipts"

    @property
    def base(self) -> Path:
        """FER2013, FER+ or the synthetic faces as one table."""
        return self.root / "data" / "base.parquet"

    @property
    def refused(self) -> Path:
        """Faces of the data version that failed a row rule, with the rules."""
        return self.root / "data" / "refused.parquet"

    @property
    def train(self) -> Path:
        """Faces to learn from."""
        return self.root / "data" / "train.parquet"

    @property
    def monitor(self) -> Path:
        """Training-split faces held out to stop training early."""
        return self.root / "data" / "monitor.parquet"

    @property
    def validation(self) -> Path:
        """Faces the gate scores on; no choice in training looks at them."""
        return self.root / "data" / "validation.parquet"

    # -- models ----------------------------------------------------------------------------

    @property
    def parent_weights(self) -> Path:
        """Weights that updates start from, as pinned when the data version was cut."""
        return self.root / "models" / "parent.keras"

    @property
    def parent(self) -> Path:
        """The same model as ONNX: a clone judges its first candidate against it."""
        return self.root / "models" / "parent.onnx"

    @property
    def candidate_weights(self) -> Path:
        """The candidate as a Keras model: what updates start from, if first of its line."""
        return self.root / "models" / "candidate.keras"

    @property
    def candidate(self) -> Path:
        """The candidate as ONNX, to answer; carries its labels and its lineage."""
        return self.root / "models" / "candidate.onnx"

    @property
    def detector(self) -> Path:
        """YuNet, which finds the faces where `fer doctor --get yunet` has fetched it."""
        return self.root / "models" / "yunet.onnx"

    # -- reports ---------------------------------------------------------------------------

    def report(self, name: str) -> Path:
        """Return the report `name`, such as "metrics.json"."""
        return self.root / "reports" / name

    @property
    def screenshots(self) -> Path:
        """Pictures that people saved from the window."""
        return self.root / "reports" / "screenshots"

    # -- local state, never in git -----------------------------------------------------------

    @property
    def mlruns(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlruns"

    @property
    def registry(self) -> Path:
        """MLflow's database, unless MLFLOW_TRACKING_URI names a server."""
        return self.mlruns / "mlflow.db"

    @property
    def decisions(self) -> Path:
        """One verdict a candidate, named by the SHA-256 of its ONNX file."""
        return self.mlruns / "decisions"

    def lock(self, name: str) -> Path:
        """Return the lock file of the step `name`."""
        return self.root / ".fer" / f"{name}.lock"

    @property
    def erasure(self) -> Path:
        """An erasure that has begun, until its receipt is written; names the person."""
        return self.root / ".fer" / "erasure.json"

    @property
    def audit(self) -> Path:
        """The audit log: who did what and when, a file a month; names no person."""
        return self.root / ".fer" / "audit"

    @property
    def tokens(self) -> Path:
        """Hashes of the tokens that open the page and the API to others."""
        return self.root / ".fer" / "tokens.json"

    @property
    def restoring(self) -> Path:
        """Which backup is being restored; there until it is, and then nothing else may run."""
        return self.root / ".fer" / "restoring.json"

    @property
    def unpacked(self) -> Path:
        """A backup while it is looked at, before it takes its place."""
        return self.root / ".fer" / "unpacked"

    @property
    def last_backup(self) -> Path:
        """When the newest backup that is known of was made."""
        return self.root / ".fer" / "backup.json"

    @property
    def seen(self) -> Path:
        """What cameras saw, as counts of many faces; no picture, no single face, no time."""
        return self.root / ".fer" / "seen.json"

    @property
    def shifts_told(self) -> Path:
        """Of which shifts a notice was sent."""
        return self.root / ".fer" / "shifts_told.json"

    @property
    def films(self) -> Path:
        """Films that the page sent, each while it is looked at."""
        return self.root / ".fer" / "films"

    @property
    def update_progress(self) -> Path:
        """How far the running update is, and how the last one ended."""
        return self.root / ".fer" / "update.json"

    @property
    def update_log(self) -> Path:
        """What the update said that the page started last."""
        return self.root / ".fer" / "update.log"

    @property
    def checkpoints(self) -> Path:
        """Where an interrupted training goes on; outside DVC, which deletes outputs first."""
        return self.root / ".fer" / "checkpoints"

    @property
    def answers(self) -> Path:
        """What the champion answered to validation faces, named by the SHA-256 of its file."""
        return self.root / ".fer" / "answers"

    @property
    def tuning(self) -> Path:
        """Trials of `fer tune`, Optuna's database."""
        return self.root / ".fer" / "tuning.db"
