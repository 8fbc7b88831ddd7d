"""The Great Expectations suites, as code: what a face, an emotion and a session must satisfy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.row_conditions import Column

from fer.emotions import EMOTIONS
from fer.params import ValidateParams
from fer.records import FACES, SIZE

_FIRST_CAPTURE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this a clock was wrong: a camera whose battery died says 1970 or 1980."""

FACE_COLUMNS: Final = [
    *FACES.names, "new", "width", "height", "brightness", "contrast", "sharpness",
    "consented", "in_base", "reviewed",
]  # fmt: skip
"""Columns that `check_faces` expects."""


@dataclass(frozen=True)
class Finding:
    """One rule and what it found.

    Args:
        rule: Name of the expectation and its column, such as "be_between brightness".
        expected: Its settings, for a person.
        checked: How many rows it looked at.
        failed: Keys of the rows that failed; the whole batch fails where there are no rows.
        holds: Whether every row, or the batch, satisfied it.
        observed: What a batch rule measured, for a person.
    """

    rule: str
    expected: str
    checked: int
    failed: tuple[str, ...]
    holds: bool
    observed: str


def check_faces(faces: pd.DataFrame, params: ValidateParams) -> list[Finding]:
    """Judge each face alone. `faces` has the columns `FACE_COLUMNS`.

    Nothing here asks the clock: DVC repeats a stage for other files, and for no other time.
    """
    unseen = Column("reviewed") == False  # noqa: E712  builds a condition
    captured_once = Column("in_base") == False  # noqa: E712
    low, high = params.brightness
    rules = [
        gxe.ExpectTableColumnsToMatchSet(column_set=FACE_COLUMNS, exact_match=True),
        # The captured copy of a base face is told by `in_base`, and must not cost the base face.
        gxe.ExpectColumnValuesToBeUnique(column="id", row_condition=captured_once),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=list(EMOTIONS)),
        gxe.ExpectColumnValuesToNotBeNull(column="label"),
        gxe.ExpectColumnValuesToBeInSet(column="split", value_set=["train", "validation", "test"]),
        gxe.ExpectColumnValuesToNotBeNull(column="split"),
        gxe.ExpectColumnValuesToBeBetween(column="width", min_value=SIZE, max_value=SIZE),
        gxe.ExpectColumnValuesToBeBetween(column="height", min_value=SIZE, max_value=SIZE),
        gxe.ExpectColumnValuesToBeBetween(column="captured_at", min_value=_FIRST_CAPTURE),
        gxe.ExpectColumnValuesToBeInSet(column="consented", value_set=[True]),
        gxe.ExpectColumnValuesToBeInSet(column="in_base", value_set=[False]),
        # A person who looked at the picture knows better than these three.
        gxe.ExpectColumnValuesToBeBetween(
            column="brightness", min_value=low, max_value=high, row_condition=unseen
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="contrast", min_value=params.min_contrast, row_condition=unseen
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="sharpness", min_value=params.min_sharpness, row_condition=unseen
        ),
    ]
    return _run("faces", faces, rules, key="id")


def check_labels(
    counts: pd.DataFrame,
    before: dict[str, float] | None,
    faces: pd.DataFrame,
    limit: ValidateParams,
) -> list[Finding]:
    """Judge the mix of emotions.

    Args:
        counts: One row an emotion: `label`, `train_faces`.
        before: Share of each emotion in what the parent learnt from; None: no parent.
        faces: The faces that count, with `label`.
        limit: `min_per_class`, `max_label_shift`.
    """
    findings = _run("labels", counts, [
        gxe.ExpectColumnValuesToBeBetween(column="train_faces", min_value=limit.min_per_class),
    ], key="label")  # fmt: skip
    if before is None:
        return findings
    known = {emotion: share for emotion, share in before.items() if share}
    shift = gxe.ExpectColumnKLDivergenceToBeLessThan(
        column="label",
        partition_object={"values": list(known), "weights": list(known.values())},
        threshold=limit.max_label_shift,
        # An emotion that was absent before must not make the divergence infinite.
        tail_weight_holdout=0.001,
    )
    return findings + _run("label shift", faces[["label"]], [shift], key=None)


def check_groups(groups: pd.DataFrame) -> list[Finding]:
    """Judge that nothing is on two sides of the split. One row a group: `group`, `sides`."""
    rule = gxe.ExpectColumnValuesToBeBetween(column="sides", min_value=1, max_value=1)
    return _run("groups", groups, [rule], key="group")


def _run(
    name: str, rows: pd.DataFrame, rules: Sequence[gxe.Expectation], *, key: str | None
) -> list[Finding]:
    # "ephemeral": otherwise a folder named gx/ above this one would be used and changed.
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas(name)
        .add_dataframe_asset(name)
        .add_batch_definition_whole_dataframe("all")
        .get_batch(batch_parameters={"dataframe": rows})
    )
    form: dict[str, Any] = {"result_format": "COMPLETE"}
    if key is not None:
        form["unexpected_index_column_names"] = [key]
    suite = gx.ExpectationSuite(name=name, expectations=list(rules))
    result = batch.validate(suite, result_format=form)
    return [_finding(one, key, len(rows)) for one in result.results]


def _finding(result: Any, key: str | None, rows: int) -> Finding:
    settings = result.expectation_config.kwargs
    rule = result.expectation_config.type.removeprefix("expect_").removeprefix("column_values_to_")
    raised = result.exception_info or {}
    # Two shapes: flat, or one entry a metric. An error must not pass for a rule that failed.
    if raised.get("raised_exception", bool(raised)):
        raise RuntimeError(f"The rule {rule} could not be checked: {raised}")
    detail = result.result
    listed = detail.get("unexpected_index_list") or []
    hidden = {"batch_id", "column", "row_condition", "condition_parser", "partition_object"}
    expected = {k: v for k, v in settings.items() if k not in hidden and v is not None}
    return Finding(
        rule=f"{rule} {settings.get('column', '')}".strip(),
        expected=", ".join(f"{k} {v}" for k, v in expected.items()),
        checked=int(detail.get("element_count", rows)),
        failed=tuple(str(row[key]) for row in listed) if key else (),
        holds=bool(result.success),
        observed=str(detail.get("observed_value", "")),
    )
