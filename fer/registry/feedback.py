"""What people labelled since: whether the champion keeps its place, and how its shadow does."""

from dataclasses import dataclass, replace
from typing import Final

import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from fer.data import inbox, near_copies, splits, table, version
from fer.data.consent import consented, ended
from fer.emotions import INDEX
from fer.evaluation import answers
from fer.evaluation.feedback import Tally, tally
from fer.model.classifier import Classifier
from fer.params import IngestParams
from fer.paths import Paths
from fer.records import now
from fer.registry import versions
from fer.registry.tracking import NAME, connect
from fer.registry.versions import CHAMPION, ERASED, PREVIOUS, ROLLED_BACK, SHADOW

TOLD: Final = "feedback"
"""Tag of the version that is held against the champion: the votes, in words."""


@dataclass(frozen=True)
class Feedback:
    """The votes of people for one version beside the champion.

    Args:
        role: `PREVIOUS` or `SHADOW`.
        version: Its number.
        champion: The champion's.
        votes: Of faces that neither has learnt from or been judged on.
    """

    role: str
    version: int
    champion: int
    votes: Tally

    def __str__(self) -> str:
        """The votes in words."""
        found = self.votes
        return (
            f"{self.role} version {self.version} got {found.rival} votes, champion version "
            f"{self.champion} got {found.champion}, in {found.faces} faces that people labelled "
            f"blind; evidence against the champion {found.evidence:.3g}"
        )


def feedback(params: IngestParams, paths: Paths) -> list[Feedback]:
    """Hold the version before the champion, and its shadow, against the champion.

    Args:
        params: `group_by` and `near_copy`, which say what one vote is.
        paths: The checkout.

    Raises:
        MissingData: A shard of the data version is not here.
        RegistryError: The files of a version are gone.
    """
    client = connect(paths)
    champion = versions.alias(client, CHAMPION)
    if champion is None:
        return []
    found: list[Feedback] = []
    for role in (PREVIOUS, SHADOW):
        rival = versions.alias(client, role)
        compared = {int(champion.version), *(one.version for one in found)}
        if rival is None or int(rival.version) in compared:
            continue
        verdict = rival.tags.get("verdict")
        # Somebody has decided on it. As a shadow it may still show that they erred.
        if verdict == ERASED or (verdict == ROLLED_BACK and role == PREVIOUS):
            continue
        votes = _votes(champion, rival, params, paths)
        one = Feedback(role, int(rival.version), int(champion.version), votes)
        if rival.tags.get(TOLD) != str(one):
            client.set_model_version_tag(NAME, rival.version, TOLD, str(one))
        found.append(one)
    return found


def defend(found: list[Feedback], chance: float, paths: Paths) -> Feedback | None:
    """Give the champion's place back if people's votes say that the version before reads better.

    Args:
        found: What `feedback` told just now.
        chance: Most chance, 0-1, that a champion which is as good ever loses its place so.
        paths: The checkout.

    Returns:
        The votes that decided; None: the champion stays.

    Raises:
        Busy: A promotion is running, or has given the place to another since.
    """
    for one in found:
        if one.role == PREVIOUS and one.votes.evidence * chance >= 1:
            reason = f"by votes: {one}, {1 / chance:g} decides"
            versions.rollback(paths, None, champion=one.champion, reason=reason)
            return one
    return None


def _votes(
    champion: ModelVersion, rival: ModelVersion, params: IngestParams, paths: Paths
) -> Tally:
    models = [Classifier(versions.files(one)[0]) for one in (champion, rival)]
    faces, pixels = _unknown(max(one.lineage.data_version for one in models), params, paths)
    truth = answers.truth(faces)
    right = [one.probabilities(pixels).argmax(axis=1) == truth for one in models]
    group = splits.groups(faces, pixels, by=params.group_by, near_copy=params.near_copy)
    return tally(group, faces["label"], *right)


def _unknown(learnt: int, params: IngestParams, paths: Paths) -> tuple[pd.DataFrame, table.Pixels]:
    """Return the faces labelled blind that came after data version `learnt`, oldest first.

    Neither has trained on these, and no gate has chosen one of the two by them. They are in later
    shards, or wait in the inbox and would pass `ingest`.
    """
    current = version.read(paths.version)
    older = tuple(shard for shard in current.captures if shard.version <= learnt)
    later = tuple(shard for shard in current.captures if shard.version > learnt)
    waiting = inbox.read(paths.inbox).faces
    waiting = waiting[consented(waiting) & ~ended(waiting, now())]
    # Never without a column: an empty table has them, too.
    came = [version.captured(paths, replace(current, captures=later))[waiting.columns], waiting]
    faces = pd.concat(came, ignore_index=True)
    faces = faces[table.blind(faces) & faces["label"].isin(INDEX)]
    faces = faces.sort_values("captured_at", kind="stable").reset_index(drop=True)
    pixels, readable = table.decode_readable(faces["image"])
    known = version.captured(paths, replace(current, captures=older))
    # A film before the camera shows the same again.
    again = near_copies.copied(pixels, table.decode(known["image"]), params.near_copy)
    fresh = readable & ~again
    return faces[fresh].reset_index(drop=True), pixels[fresh]
