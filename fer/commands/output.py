"""What commands print, and what they keep TensorFlow from printing."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass


def tell(report: object) -> None:
    """Print a dataclass, a line a field; long nested fields are in the report files."""
    fields = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {}
    for name, value in fields.items():
        if not isinstance(value, dict | list | tuple) or (value and len(str(value)) < 160):
            print(f"{name:20} {value}")


@contextlib.contextmanager
def held_back_stderr() -> Iterator[None]:
    """Keep back what TensorFlow's C++ says of absent GPUs while it loads, unless loading fails."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
