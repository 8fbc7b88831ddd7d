"""Look: where faces of a person are, what was made of them, and what has to leave.

A picture is found by its pixels. Drawings and Keras weights cannot be searched: they are judged by
what DVC's records say they were made of, and by their bytes.
"""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer.data import table, version
from fer.data.receipts import Receipt
from fer.paths import MISTAKES, Paths
from fer.privacy import contents, places
from fer.privacy.places import Store
from fer.records import Span

_SHOWING: Final = f"reports/{MISTAKES}"
"""What a stage draws with faces in it. A drawing cannot be searched, so it goes as a whole."""

_OURS: Final = (".dvc", ".fer", "data", "dvc_plots", "mlruns", "models", "reports")
"""Folders that this product writes; what lies elsewhere is left to who put it there."""


@dataclass(frozen=True)
class Erasure:
    """What is to be erased, as far as it is known.

    Args:
        receipt: Grows while the erasure goes on.
        person: Pseudonym of who asked; None: the faces are known by their ids alone.
        retire: Whether models that learnt from the faces go, too.
    """

    receipt: Receipt
    person: str | None
    retire: bool


@dataclass(frozen=True)
class _Seen:
    """What was found in the bytes of one file or object."""

    size: int
    sha256: str
    md5: str
    holds: bool
    trained_on: int | None
    opaque: str | None


@dataclass(frozen=True)
class _Everything:
    files: dict[str, _Seen]
    objects: dict[str, _Seen]


def look(erasure: Erasure, paths: Paths, stores: list[Store]) -> Erasure:
    """Return `erasure` with everything added that is found now."""
    current = version.read(paths.version)
    for shard in current.captures:
        version.check(paths.captures / shard.file, shard.sha256)
    before = erasure.receipt
    faces = set(before.faces)
    if erasure.person is not None:
        for _, _, data in _each(paths, stores):
            faces |= contents.faces_of(data, erasure.person)
    if paths.base.is_file():
        # A public picture stays, also where a capture is an exact copy of it.
        faces -= set(table.read(paths.base, ["id"])["id"])
    if not faces:
        return erasure
    everything = _judge(faces, paths, stores)
    seen, learnt = _spans(erasure, faces, paths)
    told = _told(everything, learnt, paths)
    objects = {*before.objects, *_objects(everything, told, learnt)} if seen else set()
    receipt = dataclasses.replace(
        before,
        faces=tuple(sorted(faces)),
        seen=seen,
        learnt=learnt,
        objects=tuple(sorted(objects)),
        removed={**before.removed, **_files(everything, seen, learnt, objects | told.bad, paths)},
    )
    return dataclasses.replace(erasure, receipt=receipt)


def _each(paths: Paths, stores: list[Store]) -> Iterator[tuple[Store | None, str, bytes]]:
    """Yield each file, by path, and each object once, with its store, by MD5.

    Receipts and the audit log are left out: they go on naming faces that are nowhere any more.
    """
    for file in places.files(paths, stores):
        if {paths.receipts, paths.audit} & {*file.parents} or file == paths.erasure:
            continue
        # Gone meanwhile: a camera's temporary file, say, which has its final name now.
        with contextlib.suppress(FileNotFoundError):
            yield None, str(file.relative_to(paths.root)), file.read_bytes()
    known: set[str] = set()
    for store in stores:
        for md5 in {*store.objects()} - known:
            known.add(md5)
            yield store, md5, store.read(md5)


def _judge(faces: set[str], paths: Paths, stores: list[Store]) -> _Everything:
    found = _Everything({}, {})
    for store, name, data in _each(paths, stores):
        one = _Seen(
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            holds=bool(contents.faces(data) & faces),
            trained_on=contents.trained_on(data),
            opaque=contents.opaque(data),
        )
        (found.objects if store else found.files)[name] = one
    return found


def _spans(erasure: Erasure, faces: set[str], paths: Paths) -> tuple[Span | None, Span | None]:
    """Return which data versions held any of `faces`, and which held some to learn from."""
    current, known = version.read(paths.version), erasure.receipt
    named = {one.file: one.version for one in current.captures}
    seen, learnt = known.seen, known.learnt
    for file in paths.captures.glob("[!.]*.parquet"):
        rows = table.read(file, ["id", "split"])
        theirs = rows[rows["id"].isin(faces)]
        # One that no version names any more still says in its name which one brought it.
        brought = named.get(file.name) or _leading_number(file.name)
        if theirs.empty or brought is None:
            continue
        # Run again after the new version was cut, the last one with the faces is the one before.
        last = current.number if file.name in named or known.seen is None else known.seen.last
        seen = _wider(seen, brought, last)
        if erasure.retire and (theirs["split"] != "validation").any():
            learnt = _wider(learnt, brought, last)
    return seen, learnt


def _leading_number(name: str) -> int | None:
    digits = name.partition("-")[0]
    return int(digits) if digits.isdecimal() else None


def _wider(span: Span | None, first: int, last: int) -> Span:
    if span is None:
        return Span(min(first, last), last)
    return Span(min(span.first, first), max(span.last, last))


@dataclass(frozen=True)
class _Told:
    """What is known of objects by their MD5, from their bytes and from what was made of what.

    Args:
        bad: They show or name a face, or learnt from one.
        derived: Drawings and weights that were made of these.
        vouched: Drawings and weights that were made of searched things alone, and none was bad.
    """

    bad: set[str]
    derived: set[str]
    vouched: set[str]


def _told(everything: _Everything, learnt: Span | None, paths: Paths) -> _Told:
    all_seen = [*everything.files.values(), *everything.objects.values()]
    bad = {one.md5 for one in all_seen if one.holds or within(one.trained_on, learnt)}
    clean = {one.md5 for one in all_seen} - bad
    told = _Told(bad, set(), _weights_beside(everything, clean))
    for run in places.stage_runs(paths):
        about = {**run.read, **run.wrote}
        searched = {md5 for path, md5 in about.items() if Path(path).suffix in _SEARCHED}
        for path, md5 in run.wrote.items():
            weights = path.startswith("models/")
            if {*about.values()} & bad and (path == _SHOWING or (weights and learnt)):
                told.derived.add(md5)
            elif searched <= clean or not (path == _SHOWING or weights):
                told.vouched.add(md5)
    return told


def _objects(everything: _Everything, told: _Told, learnt: Span | None) -> set[str]:
    """Return the MD5 of all that has to leave DVC's stores, where it may be or come to be."""
    doubtful = {"picture", "weights"} if learnt else {"picture"}
    opaque = {md5 for md5, one in everything.objects.items() if one.opaque in doubtful}
    return ({*everything.objects} & told.bad) | told.derived | (opaque - told.vouched)


_SEARCHED: Final = (".parquet", ".onnx")


def within(data_version: int | None, span: Span | None) -> bool:
    """Whether a data version is in a span; neither need be known."""
    return (
        data_version is not None and span is not None and span.first <= data_version <= span.last
    )


def _weights_beside(everything: _Everything, clean: set[str]) -> set[str]:
    """Return the MD5 of weights that lie beside a model that did not know the person."""
    models = {Path(name) for name, one in everything.files.items() if one.md5 in clean}
    beside = {model.with_suffix(".keras") for model in models if model.suffix == ".onnx"}
    kept = {model.parent / "extra_files" for model in models if model.name == "model.onnx"}
    return {
        one.md5
        for name, one in everything.files.items()
        if Path(name) in beside or (Path(name).parent in kept and name.endswith(".keras"))
    }


def _files(
    everything: _Everything,
    seen: Span | None,
    learnt: Span | None,
    objects: set[str],
    paths: Paths,
) -> dict[str, str]:
    """Return the files to remove or to write anew, with the SHA-256 that they have."""
    clean = _weights_beside(everything, {one.md5 for one in everything.files.values()} - objects)

    def goes(name: str, one: _Seen) -> bool:
        path = Path(name)
        # MLflow's database, and what SQLite keeps beside it, is never to be deleted as a file.
        database = str(paths.root / path).startswith(str(paths.registry))
        if path.parts[0] not in _OURS or database:
            return False
        weights = path.parent.name == "models" and path.suffix == ".keras"
        checkpoint = paths.checkpoints in (paths.root / path).parents
        return (
            one.holds
            or one.md5 in objects
            or (seen is not None and name == _SHOWING)
            or (learnt is not None and (checkpoint or (weights and one.md5 not in clean)))
        )

    return {name: one.sha256 for name, one in everything.files.items() if goes(name, one)}


@dataclass(frozen=True)
class Proof:
    """What a search of every byte found.

    Args:
        files: Files and objects that were searched.
        megabytes: Their size.
        left: Where something of the person is, or may be where no search finds it.
    """

    files: int
    megabytes: float
    left: list[str]


def leftovers(receipt: Receipt, person: str | None, paths: Paths, stores: list[Store]) -> Proof:
    """Search the checkout, MLflow's files, DVC's cache and remotes for what was erased.

    Drawings and weights cannot be searched: they are known by their bytes, and by what they were
    made of.
    """
    everything = _judge({*receipt.faces}, paths, stores)
    told = _told(everything, receipt.learnt, paths)
    digests = {*receipt.removed.values()}
    objects = _objects(everything, told, receipt.learnt) if receipt.seen else told.bad
    left = {name for name, one in everything.files.items() if one.md5 in told.bad}
    left |= _unsearchable(paths)
    left |= {
        f"{name} (unpacks without end, was not searched: look yourself)"
        for name, one in [*everything.files.items(), *everything.objects.items()]
        if one.opaque == "bomb"
    }
    for name, one in everything.files.items():
        if one.opaque and one.sha256 in digests and one.md5 not in told.vouched:
            left.add(name)
    found = {md5: store.name for store in stores for md5 in store.objects()}
    left |= {f"{found[md5]}:{md5}" for md5 in everything.objects if md5 in objects - told.vouched}
    if person is not None:
        left |= {
            f"{store.name}:{name}" if store else name
            for store, name, data in _each(paths, stores)
            if contents.faces_of(data, person)
        }
    all_seen = [*everything.files.values(), *everything.objects.values()]
    return Proof(len(all_seen), round(sum(one.size for one in all_seen) / 1e6, 1), sorted(left))


def _unsearchable(paths: Paths) -> set[str]:
    """Name what may show anybody at any size, so that only a person can tell whom."""
    left = {
        f"{file.relative_to(paths.root)} (no reader takes it: look yourself)"
        for file in paths.quarantine.glob("*.unreadable")
    }
    return left | {
        f"{folder.relative_to(paths.root)} (whole frames, cannot be searched: look yourself)"
        for folder in (paths.screenshots, paths.films)
        if any(folder.glob("*"))
    }
