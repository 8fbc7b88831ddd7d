"""Labelled pictures from elsewhere to a face table."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

import pandas as pd

from fer.data import table
from fer.data.picture_lists import Entry, listed
from fer.emotions import EMOTIONS, emotion_named
from fer.errors import DataError
from fer.faces.align import canonical, canonical_crop
from fer.faces.camera import read_picture
from fer.faces.detect import Detector


@dataclass(frozen=True)
class Problem:
    """A picture that was not imported.

    Args:
        path: As listed: below the imported folder, or as the csv file has it.
        reason: What was expected and what came.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class Imported:
    """What an import found.

    Args:
        faces: Face table; votes, consent and split are null.
        problems: Pictures that were left out.
        crowded: Number of pictures with several faces, of which the largest was taken.
    """

    faces: pd.DataFrame
    problems: list[Problem]
    crowded: int


@dataclass(frozen=True)
class _Face:
    pixels: table.Pixels
    crowded: bool


def import_faces(  # noqa: PLR0913 - one argument for each option of the command
    path: Path,
    *,
    domain: str,
    name: str | None,
    subject_pattern: str | None,
    aligned: bool,
    detector: Detector | None,
    now: datetime,
) -> Imported:
    """Return the faces of labelled pictures, one a picture, and what is wrong with the others.

    The label of a picture is the nearest folder above it that is named after an emotion, or what
    a csv file says; see `picture_lists`.

    Args:
        path: Folder or csv file.
        domain: Camera, room or data set that the faces come from.
        name: The source is called `import:NAME`; None takes the name of `path`.
        subject_pattern: Regular expression to search for in each picture's listed path. Its
            groups named `subject` and `session` are those; without the former, its first group
            without a name is the subject. Columns of a csv file win.
        aligned: Whether each picture is a face and nothing else; if not, faces are detected.
        detector: None takes the one that needs no model file.
        now: Time of the import, with time zone.

    Raises:
        DataError: There is no picture at all, the csv file has other columns, or the pattern
            is wrong or fits no picture.
    """
    root, entries = listed(path, subject_pattern)
    finder = None if aligned else detector or Detector()
    common = {
        "source": f"import:{name or path.absolute().stem}",
        "domain": domain,
        "captured_at": now,
        "label_source": "human",
    }
    rows, problems, crowded = [], [], 0
    for entry in entries:
        try:
            label, face = _label(entry), _face(entry, root, finder)
        except DataError as error:
            problems.append(Problem(Path(entry.path), str(error)))
        else:
            rows.append(common | _row(entry, label, face.pixels))
            crowded += face.crowded
    return Imported(table.frame(rows), problems, crowded)


def _label(entry: Entry) -> str:
    emotion = emotion_named(entry.label)
    if emotion is None:
        raise DataError(
            f"Expected a label such as {', '.join(EMOTIONS)}, received {entry.label!r}."
        )
    return emotion


def _face(entry: Entry, root: Path, detector: Detector | None) -> _Face:
    """Return the face in a picture; without a detector the picture is the face."""
    below = PurePath(entry.path)
    # A csv file from elsewhere must not make other files of this machine training data.
    if below.is_absolute() or ".." in below.parts:
        raise DataError(f"Expected a path below {root}, received {entry.path!r}. Move the file.")
    picture = read_picture(root / below)
    if detector is None:
        return _Face(canonical_crop(picture), crowded=False)
    found = detector.detect(picture)
    if not found:
        raise DataError(
            "Expected an upright face seen from the front, found none. If the picture is a "
            "face and nothing else, import it as aligned."
        )
    return _Face(canonical(picture, found[0].box), crowded=len(found) > 1)


def _row(entry: Entry, label: str, pixels: table.Pixels) -> dict[str, object]:
    return {
        "id": table.face_id(pixels),
        "image": table.encode(pixels[None])[0],
        "label": label,
        "subject": entry.subject or None,
        "session": entry.session or None,
    }
