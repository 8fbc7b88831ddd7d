"""A window of this machine's desktop, by OpenCV."""

import os
import subprocess
import sys
from typing import Final

import cv2

from fer.errors import FerError
from fer.faces.camera import Frame

_TITLE: Final = "fer live"
_LARGEST: Final = (1280, 800)
"""Width and height, in pixels, beyond which a picture is shown smaller."""

_TRIAL: Final = "import cv2, sys; cv2.namedWindow('trial'); print(flush=True); sys.stdin.read()"
_INSTEAD: Final = "Use a desktop or `ssh -X`; or run `fer serve` and open the page in a browser."


class Screen:
    """A window; for the main thread.

    Raises:
        FerError: No window can open here.
    """

    def __init__(self) -> None:
        """See the class."""
        _open()
        self._shape: tuple[int, ...] = ()

    def show(self, picture: Frame) -> None:
        """Show `picture`: BGR, shape `(height, width, 3)`, values 0-255."""
        if picture.shape != self._shape:
            self._shape = picture.shape
            height, width = picture.shape[:2]
            scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
            cv2.resizeWindow(_TITLE, round(scale * width), round(scale * height))
        cv2.imshow(_TITLE, picture)

    def key(self, seconds: float) -> str:
        """Return the key that is pressed within `seconds`, in lower case, or "".

        Who closes the window has pressed "q".
        """
        code = cv2.waitKey(max(1, round(1000 * seconds)))
        if code >= 0:
            return chr(code & 0xFF).lower()
        return "" if cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1 else "q"

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()


def _open() -> None:
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        raise FerError(f"Expected a display for the window, but DISPLAY is not set. {_INSTEAD}")
    # Where the display does not answer, Qt ends the whole process: so another one tries first, and
    # holds on, because a display may start anew, deaf for a moment, when its last window closes.
    with subprocess.Popen(
        [sys.executable, "-c", _TRIAL],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as trial:  # fmt: skip
        if trial.stdout and trial.stdout.readline():
            cv2.namedWindow(
                _TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            )
            return
        told = trial.communicate()[1]
    if "not implemented" in told:
        raise FerError(
            "Expected opencv-python, received opencv-python-headless, which has no windows. "
            "`make --always-make .venv/ready` installs the right one."
        )
    why = next(iter(told.splitlines()), "it said nothing")
    raise FerError(f"Expected a display for the window, received: {why}. {_INSTEAD}")
