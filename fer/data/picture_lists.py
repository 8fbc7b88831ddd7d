"""Which labelled pictures a folder or a csv file lists, and whose they are.

In a folder, at any depth, a picture's label is the nearest folder above it that is named after
an emotion; a number counts only where no word does, because numbers are often persons. A csv
file has the columns `path` (below the file's folder) and `label`, and perhaps `subject` and
`session`.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fer.emotions import emotion_named
from fer.errors import DataError
from fer.faces.camera import SUFFIXES


@dataclass(frozen=True)
class Entry:
    """A picture as a folder or a csv file lists it; empty text is unknown."""

    path: str
    label: str
    subject: str = ""
    session: str = ""


def listed(path: Path, subject_pattern: str | None) -> tuple[Path, list[Entry]]:
    """Return the folder that the paths of the entries are below, and the entries.

    Args:
        path: Folder or csv file.
        subject_pattern: Regular expression to search for in each path, as `import_faces` has it.

    Raises:
        DataError: There is no picture at all, the csv file has other columns, or the pattern
            is wrong or fits no picture.
    """
    from_csv = path.suffix.lower() == ".csv"
    entries = list(_in_csv(path) if from_csv else _in_folder(path))
    if not entries:
        raise DataError(
            f"Expected pictures in {path}, in folders named after emotions (happy/1.png) or "
            "listed in a csv file (path,label), found none."
        )
    if subject_pattern is not None:
        entries = _with_subjects(entries, subject_pattern)
    return (path.parent if from_csv else path), entries


def _in_folder(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            label = _folder_label([folder.absolute().name, *inside.parent.parts])
            yield Entry(str(inside), label)


def _folder_label(folders: list[str]) -> str:
    """Return which of `folders` (outermost first) says the emotion, else the innermost."""
    upwards = folders[::-1]
    named = [folder for folder in upwards if emotion_named(folder) is not None]
    # In happy/03/1.png the number is a person, not FER2013's class 3.
    words = [folder for folder in named if not folder.strip().isdecimal()]
    return (words or named or upwards)[0]


def _in_csv(path: Path) -> Iterator[Entry]:
    try:
        # Spreadsheets begin a file with a byte order mark, which utf-8 would leave in a name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, restval="")
            lines.fieldnames = [column.strip().lower() for column in lines.fieldnames or ()]
            if not {"path", "label"} <= set(lines.fieldnames):
                raise DataError(
                    f"Expected the columns path and label in {path}, received "
                    f"{lines.fieldnames}. Name them in the first line, with commas."
                )
            for line in lines:
                yield Entry(
                    path=line["path"],
                    label=line["label"],
                    subject=line.get("subject", ""),
                    session=line.get("session", ""),
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"Expected a csv file in UTF-8 at {path}, received: {error}") from error


def _with_subjects(entries: list[Entry], pattern: str) -> list[Entry]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(
            f"Expected a regular expression for the subject, received {pattern!r}: {error}."
        ) from error
    filled = [_with_subject(entry, expression.search(entry.path)) for entry in entries]
    # A slip in the pattern would leave all faces without a subject, and one person's faces in
    # training and validation.
    if not any(entry.subject or entry.session for entry in filled):
        raise DataError(
            f"Expected a group of {pattern!r} to find the subject in paths such as "
            f"{entries[0].path!r}, found it in none. A group is written in brackets: (\\d+)_"
        )
    return filled


def _with_subject(entry: Entry, match: re.Match[str] | None) -> Entry:
    if match is None:
        return entry
    named = match.groupdict()
    indices = set(match.re.groupindex.values())
    unnamed = [text for index, text in enumerate(match.groups(), 1) if index not in indices]
    first = unnamed[0] if unnamed else None
    return replace(
        entry,
        subject=entry.subject or named.get("subject", first) or "",
        session=entry.session or named.get("session") or "",
    )
