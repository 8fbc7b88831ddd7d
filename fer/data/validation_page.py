"""The validation report as one page that opens offline."""

import base64
from importlib.resources import files
from typing import Any, Final

import jinja2
import pandas as pd

from fer.emotions import EMOTIONS

_THUMBNAILS: Final = 200
"""Refused faces shown; all of them are in data/refused.parquet."""


def render(report: dict[str, Any], refused: pd.DataFrame) -> str:
    """Return the page as HTML.

    Args:
        report: What `validate` reports, as in `reports/validation.json`.
        refused: Face table with the column `rules`.
    """
    # autoescape: domains, subjects and labels come from outside.
    template = jinja2.Template(
        files("fer.data").joinpath("validation.html.jinja").read_text(encoding="utf-8"),
        autoescape=True,
    )
    thumbnails = [_thumbnail(face) for face in refused.head(_THUMBNAILS).itertuples()]
    page: str = template.render(report=report, emotions=EMOTIONS, thumbnails=thumbnails)
    return page


def _thumbnail(face: Any) -> dict[str, str]:
    return {
        "picture": base64.b64encode(face.image).decode(),
        "text": f"{face.label} · {face.domain}",
        "rules": face.rules,
        "id": face.id,
    }
