"""params.yaml as one frozen record per step, checked once, before anything heavy loads."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from fer.errors import ParamsError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
GreyLevel = Annotated[float, Field(ge=0, le=255)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _ascending(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        raise ValueError("Expected the lower limit first")
    return limits


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SyntheticParams(_Section):
    """The drawn faces that stand in where no data set is at hand."""

    camera: str
    subjects: Positive
    faces_per_subject: Positive
    validation_share: Share


class BaseParams(_Section):
    """Where the base data come from."""

    source: Literal["synthetic", "fer2013", "ferplus", "fer2013+ferplus"]
    path: str | None
    keep_copies: bool
    validation_share: Share
    synthetic: SyntheticParams
    seed: Seed

    @property
    def real(self) -> bool:
        """Whether they are faces of people, and not drawn."""
        return self.source != "synthetic"


class SelfLearningParams(_Section):
    """Which faces the live page keeps by itself."""

    enabled: bool
    confidence: Share
    frames: Positive
    near_copy: Share
    per_class: Positive


class CaptureParams(_Section):
    """How faces are found and agreed to."""

    detector: str | None
    consent_days: Positive
    self_learning: SelfLearningParams


class IngestParams(_Section):
    """How new faces enter."""

    group_by: Literal["subject", "session"]
    validation_share: Share
    near_copy: Share
    hold_back: Annotated[float, Field(ge=0, lt=0.5)]
    accept_model_labels: bool


class RetentionParams(_Section):
    """How long faces are kept, and the audit log."""

    captures_days: Positive | None
    set_apart_days: Positive | None
    retire_models: bool
    audit_days: Positive | None


class ValidateParams(_Section):
    """What a face and a data version must satisfy. Brightness and contrast are grey levels."""

    brightness: Annotated[tuple[GreyLevel, GreyLevel], AfterValidator(_ascending)]
    min_contrast: NotNegative
    min_sharpness: NotNegative
    min_per_class: Annotated[int, Field(ge=0)]
    max_label_shift: NotNegative


class BalanceParams(_Section):
    """What one training sees."""

    class_balance: Literal["none", "undersample", "oversample", "weights"]
    new_share: Annotated[float, Field(gt=0, le=1)]
    new_draws: Rate
    replay_cap: Positive
    monitor_share: Annotated[float, Field(gt=0, lt=0.5)]
    seed: Seed


Transfer = Literal[
    "vgg16", "resnet50v2", "mobilenetv2", "mobilenetv3small", "mobilenetv3large",
    "efficientnetv2b0",
]  # fmt: skip


class TransferParams(_Section):
    """How a network of Keras Applications takes over weights learnt elsewhere."""

    weights: str | None
    head_epochs: Positive
    unfreeze: Share


class TrainParams(_Section):
    """How the candidate is fitted."""

    network: Literal["plain", "residual", "forked", "separable"] | Transfer
    # Five poolings leave one pixel of a face.
    widths: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=5)]
    transfer: TransferParams
    light: Literal["none", "clahe", "gamma"]
    dropout: Share
    votes: NotNegative
    epochs: Positive
    update_epochs: Positive
    quick_below: Annotated[int, Field(ge=0)]
    batch_size: Positive
    learning_rate: Rate
    update_learning_rate: Rate
    parent_share: Share
    weight_decay: NotNegative
    best_by: Literal["loss", "accuracy"]
    patience: Positive
    seed: Seed

    @field_validator("transfer")
    @classmethod
    def _weights_fit_the_network(
        cls, value: TransferParams, info: ValidationInfo
    ) -> TransferParams:
        if value.weights is not None and info.data.get("network") not in get_args(Transfer):
            raise ValueError(
                "Expected weights: null for a network that is not of Keras Applications"
            )
        return value


class EvaluateParams(_Section):
    """How the candidate is measured."""

    worst_mistakes: Positive


class PromoteParams(_Section):
    """When a candidate takes the champion's place. Margins are fractions: 0.02 is two points."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    resamples: Annotated[int, Field(ge=1000)]
    domain_margin: Share
    class_margin: Share
    class_support: Positive
    max_ms_per_face: Annotated[float, Field(gt=0)]
    seed: Seed


class DriftParams(_Section):
    """What counts as other faces than the champion was judged on, and what follows."""

    false_alarms: Annotated[float, Field(gt=0, lt=1)]
    min_new_faces: Positive | None


class FeedbackParams(_Section):
    """When people's votes give the champion's place back."""

    false_rollbacks: Annotated[float, Field(gt=0, lt=1)] | None


class UpdateParams(_Section):
    """When the flows act."""

    min_new_faces: Positive
    retries: Annotated[int, Field(ge=0)]
    step_timeout_minutes: Positive
    notify: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")] | None


class Params(_Section):
    """All of params.yaml."""

    capture: CaptureParams
    base: BaseParams
    ingest: IngestParams
    retention: RetentionParams
    validate_: Annotated[ValidateParams, Field(alias="validate")]
    balance: BalanceParams
    train: TrainParams
    evaluate: EvaluateParams
    promote: PromoteParams
    drift: DriftParams
    feedback: FeedbackParams
    update: UpdateParams


_LARGEST: Final = 2**63

_MAX_BYTES: Final = 100_000
"""Twenty times the settings with their comments; PyYAML takes about 10 us a byte."""


class _Loader(yaml.SafeLoader):
    """Without aliases: a few lines of them, each of the line before, fill the memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*name). Write the value out.")
        return super().compose_node(parent, index)


def load(path: Path) -> Params:
    """Return the checked settings in `path`.

    Raises:
        ParamsError: The file is missing, too large or no YAML, or a key is unknown, missing, of
            another type or out of range; names the key.
    """
    try:
        values = _tuples(yaml.load(_text(path), _Loader))  # noqa: S506  a safe one
    except FileNotFoundError:
        raise ParamsError(f"Expected settings at {path}, found nothing.") from None
    # PyYAML lets out what its parts raise at odd dates, numbers and nesting.
    except (
        yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise ParamsError(f"Expected YAML in {path}, received: {error}") from error
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}. "
            f"Received: {fault['input']!r}"
            for fault in error.errors()
        ]
        raise ParamsError("\n".join([f"{path} is not as expected:", *lines])) from None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ParamsError(
            f"Expected at most {_MAX_BYTES} bytes of settings in {path}, found more. Take out "
            "what is no setting."
        )
    return data.decode()


def _tuples(value: Any) -> Any:
    """YAML has lists where the records, being frozen, hold tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(f"a number beyond {_LARGEST}")
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
