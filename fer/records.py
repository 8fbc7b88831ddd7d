"""What the steps hand over: the face table's columns, and the data version."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import pyarrow as pa

SIZE: Final = 48
"""Side of a canonical face in pixels: FER2013's."""

SHIFTED: Final = 3
"""Exit status of `fer drift` where a camera's faces have shifted; 2 is a wrong command line."""

LOST: Final = 3
"""Exit status of `fer models feedback` where the champion has lost its place."""

Split = Literal["train", "validation", "test"]
LabelSource = Literal["human", "blind", "model"]
"""Who named a face; "blind": a person who saw no model's answer."""

CONSENT: Final = pa.struct([
    ("text", pa.string()),  # version of the text that was shown, such as "1"
    ("purpose", pa.string()),
    ("given_at", pa.timestamp("us", tz="UTC")),
    ("expires_at", pa.timestamp("us", tz="UTC")),
])  # fmt: skip

FACES: Final = pa.schema([
    pa.field("id", pa.string(), nullable=False),  # SHA-256 of the canonical pixels
    pa.field("image", pa.binary(), nullable=False),  # PNG, grey, SIZE x SIZE
    ("label", pa.string()),  # one of EMOTIONS; null until someone labels it
    ("votes", pa.list_(pa.float32())),  # share of each of EMOTIONS, sums to 1; null: label alone
    pa.field("source", pa.string(), nullable=False),  # fer2013, synthetic, webcam, import:NAME
    pa.field("domain", pa.string(), nullable=False),  # camera, room or data set
    ("subject", pa.string()),  # pseudonym
    ("session", pa.string()),
    ("captured_at", pa.timestamp("us", tz="UTC")),
    ("label_source", pa.string()),  # a LabelSource
    ("consent", CONSENT),
    ("split", pa.string()),  # a Split; null until ingest
])  # fmt: skip
"""Columns of every face table. Steps add columns at the end, never in between."""


def knows_real_faces(sources: Iterable[str]) -> bool:
    """Whether FER2013's faces are among `sources`, values of the column `source`.

    A model of drawn faces, with or without those of a camera, is of no use on people.
    """
    return "fer2013" in sources


@dataclass(frozen=True)
class Consent:
    """A person's agreement that their face is kept and learnt from."""

    text: str
    purpose: str
    given_at: datetime
    expires_at: datetime

    def covers(self, moment: datetime) -> bool:
        """Whether the agreement holds at `moment` (with time zone)."""
        return self.given_at <= moment < self.expires_at


@dataclass(frozen=True)
class Shard:
    """One immutable table of captured faces.

    Args:
        file: Name in the captures folder.
        sha256: Of the file's bytes.
        rows: Number of faces.
        version: Number of the data version that brought it.
    """

    file: str
    sha256: str
    rows: int
    version: int


@dataclass(frozen=True)
class Parent:
    """The version that the next training starts from: what the champion's updates began with.

    Args:
        version: Its number in the registry.
        data_version: Data version it was trained on; shards after it are new to it.
        weights_sha256: Of its Keras file, to train on from.
        model_sha256: Of its ONNX file, to answer.
        real: Whether it knows FER2013's faces, or drawn ones alone.
    """

    version: int
    data_version: int
    weights_sha256: str
    model_sha256: str
    real: bool = False


@dataclass(frozen=True)
class Decision:
    """What a person said of one face: keep it (perhaps under another label), or leave it out."""

    face: str
    verdict: Literal["accept", "reject"]
    label: str | None = None


@dataclass(frozen=True)
class DataVersion:
    """Everything that a training may read, named by content.

    Args:
        number: Counted from 0, which has no captures.
        captures: In the order they came.
        decisions: What people said; of several on a face the last holds.
        parent: None: there was no champion yet.
        withdrawn: Faces under a model's label that had to leave, because a person labelled the
            same picture, or the faces of their person came to be validation faces.
    """

    number: int = 0
    captures: tuple[Shard, ...] = ()
    decisions: tuple[Decision, ...] = ()
    parent: Parent | None = None
    withdrawn: tuple[str, ...] = ()

    def new_to_parent(self, shard: Shard) -> bool:
        """Whether the parent has not been trained on `shard`."""
        return self.parent is None or shard.version > self.parent.data_version


@dataclass(frozen=True)
class Span:
    """Data versions by number, both ends included."""

    first: int
    last: int


def now() -> datetime:
    """Return the present moment in UTC, to the microsecond."""
    return datetime.now(UTC)
