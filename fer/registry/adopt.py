"""Champions from elsewhere: the one that comes with the product, and a clone's pinned parent."""

import shutil
from pathlib import Path
from typing import Final

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from fer import audit
from fer.errors import MissingData, RegistryError
from fer.files import replacing, sha256
from fer.model.classifier import Classifier, Lineage
from fer.paths import SHIPPED_MODEL, SHIPPED_WEIGHTS, Paths
from fer.records import Parent, knows_real_faces
from fer.registry import runs, versions
from fer.registry.tracking import NAME, connect
from fer.registry.versions import CHAMPION, PREVIOUS

SOURCES: Final = "sources"
"""Tag with the sources of the faces that a version learnt, commas between them."""

_ADOPTED: Final = "adopted_sha256"
"""Tag that ties an adopted version to its ONNX file, so that it is adopted once."""


def pin_champion(paths: Paths, pinned: Parent | None, *, real: bool) -> Parent | None:
    """Copy the files of the champion's root to `models/parent.*` and say which it is.

    The root is what its line of updates began with. Started from the champion itself, each
    update would hand on what it has lost. The caller holds the lock of `promote`.

    Args:
        paths: The checkout.
        pinned: The parent now, which stays where this registry has no champion, as in a clone.
        real: Whether the base data are real faces.

    Returns:
        The parent from now on; None: there is none yet.
    """
    client = connect(paths)
    champion = versions.alias(client, CHAMPION)
    # Further than the shipped champion: it learnt in another registry.
    stays = champion is None and pinned is not None and pinned.real
    if real and not stays:
        champion = _of_real_faces(client, paths, champion)
    if champion is None:
        return pinned
    root = _root(client, champion)
    model, weights = versions.files(root)
    for source, target in ((model, paths.parent), (weights, paths.parent_weights)):
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)
    lineage = Classifier(paths.parent).lineage
    return Parent(
        version=int(root.version),
        data_version=lineage.data_version,
        weights_sha256=sha256(paths.parent_weights),
        model_sha256=sha256(paths.parent),
        real=lineage.real,
    )


def _root(client: MlflowClient, version: ModelVersion) -> ModelVersion:
    """Return what the updates up to `version` began with, as far back as this registry has it."""
    model, _ = versions.files(version)
    lineage = Classifier(model).lineage
    # With a parent of another shape a training starts from random weights.
    if lineage.parent is None or lineage.lane == "scratch":
        return version
    before = _kept(client, lineage.parent)
    return version if before is None else _root(client, before)


def _kept(client: MlflowClient, parent: Parent) -> ModelVersion | None:
    """Return the version that `parent` is; None: it is elsewhere, or its files are gone."""
    # Numbers are of one registry. In a clone, the parent was adopted under another.
    adopted = versions.tagged(client, _ADOPTED, parent.model_sha256)
    try:
        found = adopted or versions.get(client, parent.version)
        _, weights = versions.files(found)
    except RegistryError:
        return None
    return found if sha256(weights) == parent.weights_sha256 else None


def rival(client: MlflowClient, paths: Paths, lineage: Lineage) -> ModelVersion | None:
    """Return the champion that a candidate is held against; None: there is none.

    In a clone the registry is empty, but the candidate may have a parent: that is its rival, or
    the clone would take a candidate unopposed that lost at home. A first candidate for real
    faces meets the shipped champion.

    Args:
        client: Of the registry.
        paths: The checkout.
        lineage: The candidate's.

    Raises:
        MissingData: The pinned parent is not here.
        RegistryError: A model of drawn faces is to replace one of real faces.
    """
    champion = versions.alias(client, CHAMPION)
    if champion is None and lineage.parent is not None:
        return _pinned_parent(client, paths, lineage.parent)
    if lineage.real:
        return _of_real_faces(client, paths, champion)
    if champion is not None and _is_real(champion):
        raise RegistryError(
            f"Expected a candidate that knows real faces, as champion version {champion.version} "
            "does, received one of drawn faces. Set base.source and base.path in params.yaml to "
            "FER2013, or play with drawn faces in a fresh clone."
        )
    return champion


def _is_real(version: ModelVersion) -> bool:
    return knows_real_faces(version.tags.get(SOURCES, "").split(","))


def _of_real_faces(
    client: MlflowClient, paths: Paths, champion: ModelVersion | None
) -> ModelVersion:
    """The champion, or the shipped one in place of none or of one of drawn faces."""
    if champion is not None and _is_real(champion):
        return champion
    version = _adopted(client, "shipped", SHIPPED_MODEL, SHIPPED_WEIGHTS, "comes with the product")
    if champion is not None:
        client.set_registered_model_alias(NAME, PREVIOUS, champion.version)
    client.set_registered_model_alias(NAME, CHAMPION, version.version)
    before = int(champion.version) if champion else None
    audit.record(paths, "promotion", version=int(version.version), before=before)
    return version


def _pinned_parent(client: MlflowClient, paths: Paths, parent: Parent) -> ModelVersion:
    wanted = (
        (paths.parent, parent.model_sha256),
        (paths.parent_weights, parent.weights_sha256),
    )
    for file, digest in wanted:
        if not file.is_file() or sha256(file) != digest:
            raise MissingData(
                f"The candidate was trained from version {parent.version}, and "
                "this registry has no champion to hold it against. "
                f"Fetch it: `dvc pull {file}.dvc`"
            )
    reason = f"version {parent.version} of another registry"
    version = _adopted(client, "pinned-parent", paths.parent, paths.parent_weights, reason)
    client.set_registered_model_alias(NAME, CHAMPION, version.version)
    audit.record(paths, "promotion", version=int(version.version), before=None)
    return version


def _adopted(
    client: MlflowClient, run_name: str, model: Path, weights: Path, reason: str
) -> ModelVersion:
    digest = sha256(model)
    version = versions.tagged(client, _ADOPTED, digest)
    if version is not None:
        return version
    lineage = Classifier(model).lineage
    run, logged = runs.log_files(client, run_name, model, weights, lineage.data_version)
    tags = {
        _ADOPTED: digest,
        "verdict": "adopted",
        "reasons": reason,
        runs.DATA_VERSION: str(lineage.data_version),
        SOURCES: ",".join(lineage.sources),
    }
    return versions.new(client, logged, run, tags, reason)
