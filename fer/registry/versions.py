"""Model versions and the names that move: `champion`, `previous` and `shadow`."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from fer import audit
from fer.errors import Busy, RegistryError
from fer.files import locked, write_json
from fer.paths import Paths
from fer.registry.tracking import NAME, connect

CHAMPION: Final = "champion"
PREVIOUS: Final = "previous"
SHADOW: Final = "shadow"
"""Answers beside the champion, unseen: may it be better?"""

ROLLED_BACK: Final = "rolled back"
ERASED: Final = "erased"
"""It learnt from a person who is forgotten; its files are gone."""


@dataclass(frozen=True)
class Version:
    """One line of `fer models`.

    Args:
        number: In the registry.
        aliases: "champion", "previous", "shadow", or none.
        created: When it was registered.
        tags: Verdict, reason, data version, parent, accuracy and more, as text.
    """

    number: int
    aliases: tuple[str, ...]
    created: datetime
    tags: dict[str, str]


def alias(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the version that `name` points to, or None."""
    try:
        return client.get_model_version_by_alias(NAME, name)
    except MlflowException as error:
        # A missing alias and a missing model have different codes; both mean: none yet.
        if error.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            return None
        raise


def files(version: ModelVersion) -> tuple[Path, Path]:
    """Return the ONNX and the Keras file of a version; fetched where the store is elsewhere.

    Raises:
        RegistryError: The files are gone.
    """
    _refuse_erased(version)
    try:
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/{version.version}"))
        # `extra_files` keeps the name that the file had; there is one.
        weights = next((folder / "extra_files").glob("*.keras"))
    except (MlflowException, OSError, StopIteration) as error:
        raise RegistryError(
            f"Expected the files of version {version.version} in the registry, received: "
            f"{error!r}. Bring mlruns/artifacts back, or give the champion's place to another "
            "version: `fer models rollback VERSION`."
        ) from error
    return folder / "model.onnx", weights


def _refuse_erased(version: ModelVersion) -> None:
    if version.tags.get("verdict") == ERASED:
        raise RegistryError(
            f"Version {version.version} learnt from a person who is forgotten: its files are "
            "gone. Name another version; see `fer models`."
        )


def listed(client: MlflowClient) -> list[Version]:
    """Return every version, newest first."""
    found = client.search_model_versions(f"name='{NAME}'")
    named: dict[str, list[str]] = {}
    for name in (CHAMPION, PREVIOUS, SHADOW):
        if (version := alias(client, name)) is not None:
            named.setdefault(str(version.version), []).append(name)
    return [
        Version(
            number=int(one.version),
            aliases=tuple(named.get(str(one.version), ())),
            created=datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
            tags=dict(one.tags),
        )
        for one in sorted(found, key=lambda one: -int(one.version))
    ]


def get(client: MlflowClient, number: int) -> ModelVersion:
    """Return version `number`.

    Raises:
        RegistryError: There is none.
    """
    try:
        return client.get_model_version(NAME, str(number))
    except MlflowException as error:
        known = ", ".join(str(one.number) for one in listed(client)) or "none"
        raise RegistryError(
            f"Expected a model version, received {number}. Known: {known}. See `fer models`."
        ) from error


def tagged(client: MlflowClient, tag: str, value: str) -> ModelVersion | None:
    """Return the version whose `tag` is `value`, or None."""
    found = client.search_model_versions(f"name='{NAME}'")
    return next((one for one in found if one.tags.get(tag) == value), None)


def new(
    client: MlflowClient, model: str, run: str, tags: dict[str, str], text: str
) -> ModelVersion:
    """Register a logged model.

    Args:
        client: Of the registry.
        model: URI of the logged model.
        run: Id of the run that logged it.
        tags: Of the version.
        text: Its description, Markdown.
    """
    try:
        client.create_registered_model(NAME)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(NAME, model, run, tags=tags, description=text)


def decision_of(paths: Paths, candidate_sha256: str) -> Path:
    """Return the file that says what became of a candidate. Written last, so it is final."""
    return paths.decisions / f"{candidate_sha256}.json"


def text_of(paths: Paths, candidate_sha256: str) -> Path:
    """Return the file with the gate's verdict on a candidate as Markdown."""
    return paths.decisions / f"{candidate_sha256}.md"


def read_decision(paths: Paths, candidate_sha256: str) -> dict[str, Any] | None:
    """Return what became of a candidate, or None where nothing was decided yet."""
    try:
        value: dict[str, Any] = json.loads(
            decision_of(paths, candidate_sha256).read_text(encoding="utf-8")
        )
    except FileNotFoundError:
        return None
    return value


def rollback(
    paths: Paths,
    number: int | None,
    *,
    champion: int | None = None,
    reason: str | None = None,
) -> tuple[int, int]:
    """Give the champion's place back; a re-run of the pipeline does not undo it.

    Args:
        paths: The checkout.
        number: Version to return to; None: the previous champion.
        champion: Who has to have the place now; None: whoever has it.
        reason: Why, to stand before the reasons of the gate; None: a person wants it.

    Returns:
        The champion before, and the one now.

    Raises:
        RegistryError: There is no champion, or nothing to return to.
        Busy: A promotion is running, or `champion` is no longer champion.
    """
    with locked(paths.lock("promote")):
        client = connect(paths)
        loser = alias(client, CHAMPION)
        target = alias(client, PREVIOUS) if number is None else get(client, number)
        if loser is None or target is None:
            raise RegistryError(
                "Expected a champion and one before it, received "
                f"{'no champion' if loser is None else 'none before it'}. See `fer models`."
            )
        if champion not in (None, int(loser.version)):
            raise Busy(f"Expected champion version {champion}, found {loser.version} by now.")
        if loser.version == target.version:
            raise RegistryError(f"Version {loser.version} is the champion already.")
        if number is None and target.tags.get("verdict") == ROLLED_BACK:
            raise RegistryError(
                f"The champion before, version {target.version}, was rolled back itself. Name the "
                "version to return to: `fer models rollback VERSION`."
            )
        _refuse_erased(target)
        if reason is not None:
            told = "\n".join([reason, loser.tags.get("reasons", "")]).strip()
            client.set_model_version_tag(NAME, loser.version, "reasons", told)
        # The verdict first: killed in between, the pipeline does not promote it again.
        judge_anew(client, paths, loser, ROLLED_BACK)
        if target.tags.get("verdict") == ROLLED_BACK:
            judge_anew(client, paths, target, "promoted")
        client.set_registered_model_alias(NAME, PREVIOUS, loser.version)
        client.set_registered_model_alias(NAME, CHAMPION, target.version)
        before, after = int(loser.version), int(target.version)
        audit.record(paths, "rollback", version=after, before=before)
        return before, after


def cast_shadow(paths: Paths, number: int | None) -> None:
    """Let version `number` answer beside the champion; None: no version does.

    Raises:
        RegistryError: There is no such version, it is the champion, or its files are erased.
        Busy: A promotion is running.
    """
    with locked(paths.lock("promote")):
        client = connect(paths)
        if number is None:
            end_shadow(client)
            return
        chosen = get(client, number)
        _refuse_erased(chosen)
        champion = alias(client, CHAMPION)
        if champion is not None and champion.version == chosen.version:
            raise RegistryError(f"Version {number} is the champion: its shadow is another one.")
        client.set_registered_model_alias(NAME, SHADOW, chosen.version)


def end_shadow(client: MlflowClient) -> None:
    """Let no version answer beside the champion. The caller holds the lock of `promote`."""
    if alias(client, SHADOW) is not None:
        client.delete_registered_model_alias(NAME, SHADOW)


def judge_anew(client: MlflowClient, paths: Paths, version: ModelVersion, verdict: str) -> None:
    """Write a person's word where the registry and a re-run look."""
    client.set_model_version_tag(NAME, version.version, "verdict", verdict)
    candidate = version.tags.get("candidate_sha256", "")
    if candidate and (decided := read_decision(paths, candidate)) is not None:
        write_json(decision_of(paths, candidate), {**decided, "verdict": verdict})
