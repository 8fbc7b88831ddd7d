"""The door: what a browser without a token is shown in the page's place."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse

from fer.live.web.headers import policy

_TEXT: Final = (Path(__file__).parent / "static" / "door.html").read_text("utf-8")


def page() -> HTMLResponse:
    """Return the page that asks for the token; it loads nothing more, for nothing is open."""
    return HTMLResponse(_TEXT, 401, {"Content-Security-Policy": _POLICY})


def _own(tag: str) -> str:
    """Return the source of that page's one element `tag`, as a policy names it."""
    (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", _TEXT, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"


_POLICY: Final = policy(scripts=_own("script"), styles=_own("style"))
