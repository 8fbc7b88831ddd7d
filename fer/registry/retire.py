"""Models that learnt from a person who is forgotten: their files go, their number stays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from mlflow.entities import Run, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from fer.paths import MISTAKES, Paths
from fer.records import Span
from fer.registry import runs, versions
from fer.registry.tracking import NAME, connect
from fer.registry.versions import CHAMPION, ERASED, PREVIOUS, SHADOW

_SHOWN: Final = f"{runs.PLOTS}/{MISTAKES}"
"""The one artifact that shows faces."""

_HELD_THE_PLACE: Final = ("promoted", "adopted")


@dataclass(frozen=True)
class Retired:
    """What became of the registry.

    Args:
        versions: Every version that learnt from the person, oldest first.
        champion: Who has the place now; None: no version is left that may.
    """

    versions: list[int]
    champion: int | None


def learnt_from(paths: Paths, learnt: Span | None) -> list[int]:
    """Return the versions that learnt from the data versions `learnt`, oldest first.

    A version that does not say what it learnt from is counted in.
    """
    if learnt is None:
        return []
    found = versions.listed(connect(paths))
    return sorted(one.number for one in found if _learnt(one.tags, learnt))


def retire(paths: Paths, seen: Span | None, learnt: Span | None) -> Retired:
    """Take the champion's place from who learnt from a person, and delete what shows them.

    Can be repeated, also after a kill. The caller holds the lock of `promote`.

    Args:
        paths: The checkout.
        seen: Data versions that held the person's faces: runs on them may show one.
        learnt: Data versions whose training faces held them; None: no model is retired.
    """
    client = connect(paths)
    gone = learnt_from(paths, learnt)
    for number in gone:
        version = versions.get(client, number)
        # The verdict first: killed in between, nothing gives it the place back.
        if version.tags.get("verdict") != ERASED:
            reason = "it learnt from a person who is forgotten"
            client.set_model_version_tag(NAME, version.version, "reasons", reason)
            versions.judge_anew(client, paths, version, ERASED)
    champion = _replace_champion(client, set(gone))
    _delete_artifacts(client, seen, learnt)
    return Retired(gone, champion)


def _replace_champion(client: MlflowClient, gone: set[int]) -> int | None:
    champion, before = versions.alias(client, CHAMPION), versions.alias(client, PREVIOUS)
    shadow = versions.alias(client, SHADOW)
    if shadow is not None and int(shadow.version) in gone:
        versions.end_shadow(client)
    left = [
        one.number
        for one in versions.listed(client)
        if one.number not in gone and one.tags.get("verdict") in _HELD_THE_PLACE
    ]
    place = int(champion.version) if champion else None
    if place in gone:
        place = left[0] if left else None
        if place is None:
            client.delete_registered_model_alias(NAME, CHAMPION)
        else:
            client.set_registered_model_alias(NAME, CHAMPION, str(place))
    if before is not None and int(before.version) in {*gone, place}:
        older = [number for number in left if place is not None and number < place]
        if older:
            client.set_registered_model_alias(NAME, PREVIOUS, str(older[0]))
        else:
            client.delete_registered_model_alias(NAME, PREVIOUS)
    return place


def _delete_artifacts(client: MlflowClient, seen: Span | None, learnt: Span | None) -> None:
    experiment = runs.experiment(client)
    known: dict[str, Run] = {}
    for run in _pages(client.search_runs, [experiment], run_view_type=ViewType.ALL):
        known[run.info.run_id] = run
        if seen is not None and _learnt(run.data.tags, seen):
            _delete(run.info.artifact_uri, _SHOWN)
    for model in _pages(client.search_logged_models, [experiment]):
        run = known.get(model.source_run_id)
        if learnt is not None and _learnt(run.data.tags if run else {}, learnt):
            _delete(model.artifact_location)


def _delete(location: str, path: str | None = None) -> None:
    repository: Any = get_artifact_repository(location)
    repository.delete_artifacts(path)


def _learnt(tags: dict[str, str], span: Span) -> bool:
    told = tags.get(runs.DATA_VERSION, "")
    return not told.isdecimal() or span.first <= int(told) <= span.last


def _pages(search: Callable[..., Any], *arguments: Any, **named: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(*arguments, **named, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
