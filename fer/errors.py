"""The errors a user can meet and mend. Everything else is a bug and keeps its traceback.

FerError
├── ParamsError      params.yaml holds something it should not
├── DataError        a file or a face is not what it should be
│   ├── MissingData  something that the data version names is not here
│   └── DataRefused  a batch rule of `validate` failed: the pipeline stops
├── CameraError      a camera, film or folder gives no frames
├── ModelError       a model file is not what it should be
├── RegistryError    the registry does not hold what was asked for
├── Busy             another process holds the lock
└── Interrupted      something was stopped from outside: the same may go well next time

A message says what was expected, what came, and what to do.

    try:
        ingest(params, paths)
    except FerError as error:
        print(f"fer: {error}")
"""


class FerError(Exception):
    """Base of every error that a user can mend; only the command line catches it."""


class ParamsError(FerError):
    """params.yaml holds an unknown key, a wrong type or a value out of range."""


class DataError(FerError):
    """A file or a face is not what it should be."""


class MissingData(DataError):
    """A file that the data version names is missing or has other bytes."""


class DataRefused(DataError):
    """A batch rule failed; training on this data would be wrong."""


class CameraError(FerError):
    """A camera, film or folder gives no frames."""


class ModelError(FerError):
    """A model file cannot be loaded, or does not answer as it should."""


class RegistryError(FerError):
    """The registry does not hold the version that was asked for."""


class Busy(FerError):
    """Another process is at the same step."""


class Interrupted(FerError):
    """A part of it was killed or took too long, which says nothing of its input: run it again."""
