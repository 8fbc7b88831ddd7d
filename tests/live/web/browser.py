"""Chromium without a window, driven through its DevTools protocol: no other library is needed."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

_SECONDS = 30

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--remote-debugging-port=0", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream", "--log-level=3",
)  # fmt: skip


class Page:
    """One page of a running browser."""

    def __init__(self, browser: Connection, session: str) -> None:
        self._browser = browser
        self._session = session
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the browser; what it tells meanwhile is kept in `events`."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        self._browser.send(json.dumps({**asked, "sessionId": self._session}))
        while (told := self._next()).get("id") != self._number:
            self.events.append(told)
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    def value(self, expression: str) -> Any:
        """Return what a JavaScript expression, or its promise, comes to."""
        told = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression holds."""
        waits = f"""new Promise((yes, no) => {{
            const end = performance.now() + {1000 * _SECONDS};
            const look = () => ({condition}) ? yes(true)
                : performance.now() > end ? yes(false) : setTimeout(look, 20);
            look();
        }})"""
        assert self.value(waits), f"never came true: {condition}"

    def press(self, key: str) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def click(self, selector: str) -> None:
        """Click an element."""
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def event(self, method: str, **wanted: Any) -> None:
        """Wait for an event with these params."""

        def fits(event: dict[str, Any]) -> bool:
            return event.get("method") == method and wanted.items() <= event["params"].items()

        while not any(map(fits, self.events)):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._browser.recv(timeout=_SECONDS))
        return told


@contextmanager
def opened(url: str, film: Path, folder: Path) -> Iterator[Page]:
    """Open `url` in a browser whose camera plays `film` (JPEGs in a row) and can be used."""
    command = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={folder}",
               f"--use-file-for-fake-video-capture={film}"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            line = next(line for line in running.stderr if "DevTools listening on" in line)
            with connect(line.split()[-1], max_size=None, compression=None) as browser:
                page = Page(browser, _attached(browser))
                page.call("Runtime.enable")
                page.call("Page.enable")
                page.call("Page.navigate", url=url)
                # Before that, the elements that a test asks for need not be there.
                page.event("Page.loadEventFired")
                yield page
        finally:
            running.kill()


def _attached(browser: Connection) -> str:
    def ask(number: int, method: str, **params: Any) -> dict[str, Any]:
        browser.send(json.dumps({"id": number, "method": method, "params": params}))
        while (told := json.loads(browser.recv(timeout=_SECONDS))).get("id") != number:
            pass
        result: dict[str, Any] = told["result"]
        return result

    target = ask(-1, "Target.createTarget", url="about:blank")["targetId"]
    attached = ask(-2, "Target.attachToTarget", targetId=target, flatten=True)
    return str(attached["sessionId"])
