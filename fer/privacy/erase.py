"""Erase: faces leave the checkout, DVC, MLflow, and every model that learnt from them.

What is known is written down before anything is removed, and everything that follows can be done
twice: killed at any point and run again, it looks again, adds what it finds to what it knew, and
ends in the same state. The receipt comes last.
"""

import contextlib
import dataclasses
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from fer import audit
from fer.data import inbox, receipts, table, version
from fer.data.receipts import Receipt
from fer.errors import DataError
from fer.files import sha256, sync_folder, write_json
from fer.paths import Paths
from fer.privacy import contents, places
from fer.privacy.look import Erasure, leftovers, look, within
from fer.records import FACES, Shard, now
from fer.registry import adopt, retire


def erase(erasure: Erasure, paths: Paths) -> Receipt | None:
    """Remove the faces from everywhere, and what was made of them; None: there are none.

    The caller holds `begun.alone`.

    Raises:
        DataError: A remote cannot be reached, DVC refuses, or a shard is missing.
    """
    with places.stores(paths) as stores:
        found = look(erasure, paths, stores)
        if not found.receipt.faces:
            return None
        write_json(paths.erasure, asdict(found))
        receipt = found.receipt
        models = (
            retire.retire(paths, receipt.seen, receipt.learnt).versions if receipt.seen else []
        )
        _cut(receipt, paths)
        _empty_inbox(receipt, paths)
        _remove(receipt, paths)
        for store in stores:
            for md5 in {*store.objects()} & {*receipt.objects}:
                store.delete(md5)
        places.forget_stages(paths, {*receipt.objects})
        done = dataclasses.replace(
            receipt,
            removed={
                name: digest
                for name, digest in receipt.removed.items()
                if not _still_is(paths.root / name, digest)
            },
            models=tuple(sorted({*receipt.models, *models})),
            stores=tuple(store.name for store in stores),
            data_version=version.read(paths.version).number,
        )
        left = leftovers(done, erasure.person, paths, stores).left
        ended = now().isoformat(timespec="seconds")
        done = dataclasses.replace(done, left=tuple(left), ended=ended)
        receipts.write(receipts.path_of(paths, done), done)
        audit.record(
            paths, "erasure", receipt=done.name, faces=len(done.faces), models=done.models
        )
        paths.erasure.unlink()
        return done


# -- removing ----------------------------------------------------------------------------------


def _cut(receipt: Receipt, paths: Paths) -> None:
    """Cut a data version without the faces, from a champion that did not learn from them."""
    current, faces = version.read(paths.version), {*receipt.faces}
    shards = [_without(shard, faces, paths) for shard in current.captures]
    kept = tuple(shard for shard in shards if shard is not None)
    freed = dataclasses.replace(version.without(current, faces), captures=kept)
    gone = current.parent is not None and within(current.parent.data_version, receipt.learnt)
    if freed != current or gone:
        with version.held_still(paths):
            real = current.parent is not None and current.parent.real
            pinned = adopt.pin_champion(paths, None if gone else current.parent, real=real)
            number = receipts.next_version(paths, current.number)
            freed = dataclasses.replace(freed, number=number, parent=pinned)
            version.write(paths.version, freed)
    for file in (paths.parent_weights, paths.parent):
        if freed.parent is None:
            _delete(file)
        elif file.is_file():
            version.track(paths, file)


def _without(shard: Shard, faces: set[str], paths: Paths) -> Shard | None:
    rows = table.read(version.check(paths.captures / shard.file, shard.sha256))
    kept = rows[~rows["id"].isin(faces)]
    if len(kept) == len(rows):
        return shard
    return version.write_shard(kept, shard.version, paths) if len(kept) else None


def _empty_inbox(receipt: Receipt, paths: Paths) -> None:
    """Take the faces out of what waits, and leave the others in their item."""
    faces = {*receipt.faces}
    for name in receipt.removed:
        item = paths.root / name
        if item.parent != paths.inbox or item.suffix != ".parquet" or not item.is_file():
            continue
        with contextlib.suppress(DataError, KeyError, ValueError):
            rows = table.content(item).select(FACES.names).cast(FACES).to_pandas()
            theirs = [bool(contents.faces(image) & faces) for image in rows["image"]]
            kept = rows[~rows["id"].isin(faces) & ~pd.Series(theirs, rows.index, dtype=bool)]
            if len(kept):
                table.write(item, kept)
            else:
                inbox.remove([item])


def _remove(receipt: Receipt, paths: Paths) -> None:
    """Delete the files that still are what they were when they were found."""
    current = version.read(paths.version)
    kept = {paths.version, *(paths.captures / one.file for one in current.captures)}
    # Killed while the parent was pinned, its first file looked like weights of unknown making.
    pinned = (
        {current.parent.weights_sha256, current.parent.model_sha256} if current.parent else set()
    )
    for name, digest in receipt.removed.items():
        file = paths.root / name
        if file not in kept and digest not in pinned and _still_is(file, digest):
            _delete(file)


def _still_is(file: Path, digest: str) -> bool:
    return file.is_file() and sha256(file) == digest


def _delete(file: Path) -> None:
    """Delete `file` and the pointer that DVC has to it."""
    for path in (file, file.with_name(f"{file.name}.dvc")):
        path.unlink(missing_ok=True)
    if file.parent.is_dir():
        sync_folder(file.parent)
