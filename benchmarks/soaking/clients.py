"""Who uses the server: viewers before cameras, people who teach it, one who starts updates."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, NamedTuple

import cv2
import httpx
import websockets

from fer.data import synthetic
from fer.emotions import EMOTIONS
from fer.live.capture import CONSENT_VERSION

SUBJECTS: Final = 43
"""People before one camera; each shows every emotion once, so 301 captures."""

CAMERAS: Final = ("laptop", "phone", "night", "dark", "webcam")
"""One after the other, an update after each: every update has a camera to learn."""

_ASK_SECONDS: Final = 2.0


class Shown(NamedTuple):
    """What a camera sees, as the page sends it: who, which of `EMOTIONS`, and a JPEG file."""

    subject: str
    label: str
    frame: bytes


@dataclass
class Tally:
    """What the clients saw.

    Args:
        seconds: From each frame to its answer.
        dropped: Why each connection ended early.
        errors: Answers that told an error.
        versions: Versions that answered, by client.
        kept: Subject and label of each capture that the server said it kept.
        refused: Why it did not keep others.
        updates: `verdict` or `error` of each update, and its `seconds`.
    """

    seconds: list[float] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    versions: dict[int, list[int]] = field(default_factory=dict)
    kept: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)


def drawn(cameras: int) -> list[Shown]:
    """Return what people show to that many cameras; no subject shows an emotion twice."""
    shown: list[Shown] = []
    for number in range(cameras):
        camera = CAMERAS[number % len(CAMERAS)]
        people = [f"soak-{number}-{camera}-{one:02d}" for one in range(SUBJECTS)]
        shown += frames(camera, people, seed=2)
    return shown


def frames(camera: str, people: Sequence[str], seed: int) -> list[Shown]:
    """Return each person showing every emotion to a camera."""
    drawn_frames = synthetic.draw_frames(
        camera=camera, subjects=people, per_subject=len(EMOTIONS), seed=seed
    )
    return [
        Shown(one.subject, one.label, bytes(cv2.imencode(".jpg", one.image)[1]))
        for one in drawn_frames
    ]


async def view(
    number: int, address: str, scene: Sequence[Shown], over: asyncio.Event, fps: float,
    tally: Tally,
) -> None:  # fmt: skip
    """Send frames, each after the answer to the one before, until it is over."""
    seen = tally.versions.setdefault(number, [])
    try:
        async with websockets.connect(f"ws://{address}/api/live", compression=None) as live:
            turn = number
            while not over.is_set():
                began = time.perf_counter()
                await live.send(scene[turn % len(scene)].frame)
                told = json.loads(await live.recv())
                tally.seconds.append(time.perf_counter() - began)
                if "error" in told:
                    tally.errors.append(told["error"])
                if told["model"]["version"] not in seen[-1:]:
                    seen.append(told["model"]["version"])
                turn += 1
                await asyncio.sleep(max(0.0, began + 1 / fps - time.perf_counter()))
    except (OSError, websockets.WebSocketException) as error:
        tally.dropped.append(f"client {number}: {error!r}")


async def teach(
    address: str, shown: Sequence[Shown], over: asyncio.Event, pause: float, tally: Tally
) -> None:
    """Let one person after another sit down, agree, and keep their face."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as http:
        for subject, frames in groupby(shown, lambda one: one.subject):
            # The camera's name, which stands in the middle of the subject's.
            agreed = {"subject": subject, "domain": subject.rpartition("-")[0],
                      "consent": CONSENT_VERSION}  # fmt: skip
            try:
                seated = (await http.post("/api/sittings", json=agreed)).raise_for_status()
                for one in frames:
                    if over.is_set():
                        return
                    if await _kept(http, seated.json()["sitting"], one):
                        tally.kept.append((one.subject, one.label))
                    await asyncio.sleep(pause)
            except httpx.HTTPError as error:
                tally.refused.append(repr(error))


async def _kept(http: httpx.AsyncClient, sitting: str, shown: Shown) -> bool:
    """Whether the server said so; it is not asked where it finds no face."""
    reading = (await http.post("/api/predict", content=shown.frame)).raise_for_status()
    faces = reading.json()["faces"]
    if faces:
        box = dict(zip(("x", "y", "width", "height"), faces[0]["box"], strict=True))
        asked = {"sitting": sitting, "label": shown.label, **box}
        (await http.post("/api/captures", params=asked, content=shown.frame)).raise_for_status()
    return bool(faces)


async def update(address: str, moments: Sequence[float], tally: Tally) -> None:
    """Start an update at each moment, as the page's button does, and wait for its verdict."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=120) as http:
        for moment in moments:
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            try:
                tally.updates.append(await _updated(http))
            except httpx.HTTPError as error:
                tally.updates.append({"verdict": None, "error": repr(error), "seconds": 0.0})


async def _updated(http: httpx.AsyncClient) -> dict[str, Any]:
    told = (await http.post("/api/update")).raise_for_status().json()
    while told["running"]:
        await asyncio.sleep(_ASK_SECONDS)
        told = (await http.get("/api/update")).raise_for_status().json()
    seconds = told["ended"] - told["began"] if told["ended"] else 0.0
    return {"verdict": told["verdict"], "error": told["error"], "seconds": seconds}
