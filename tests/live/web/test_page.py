"""The page in a real browser, whose camera plays a film of a drawn face."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer.data import inbox, table
from fer.faces.align import canonical
from fer.live.web import tokens
from tests.live.conftest import write_film
from tests.live.web.browser import CHROMIUM, Page, opened
from tests.live.web.conftest import Serve, Site

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def film(tmp_path: Path, shown: SimpleNamespace) -> Path:
    return _film(tmp_path / "film.mjpeg", shown.image)


def _film(path: Path, image: NDArray[np.uint8]) -> Path:
    sharp = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    path.write_bytes(30 * sharp)
    return path


def test_a_person_looks_teaches_pauses_and_sees_a_swap(
    site: Site, film: Path, shown: SimpleNamespace, tmp_path: Path
) -> None:
    with opened(f"http://{site.host}/", film, tmp_path / "browser") as page:
        page.until("window.stats && stats.faces === 1 && stats.got > 2")
        assert page.value("document.querySelector('#faces strong').textContent") == "happy"
        _teach(page)
        _check_captures(site, shown)
        _pause_and_go_on(page)
        _swap(page, site)
        _take_a_picture(page, tmp_path / "downloads")
        page.press("q")
        page.until("!document.querySelector('#empty').hidden")
        assert not [one for one in page.events if one.get("method") == "Runtime.exceptionThrown"]


def test_who_hides_the_answers_labels_blind(site: Site, film: Path, tmp_path: Path) -> None:
    said = "document.querySelector('#faces strong')?.textContent"
    with opened(f"http://{site.host}/", film, tmp_path / "browser") as page:
        page.until(f"{said} === 'happy'")
        page.click("#blind")
        page.until(f"{said} === 'answer hidden'")
        _teach(page)
        page.click("#blind")
        page.until(f"{said} === 'happy'")
        assert not [one for one in page.events if one.get("method") == "Runtime.exceptionThrown"]
    assert set(inbox.read(site.service.paths.inbox).faces["label_source"]) == {"blind"}


def test_a_face_far_away_is_called_small_in_words(
    site: Site, shown: SimpleNamespace, tmp_path: Path
) -> None:
    room = np.full_like(shown.image, 120)
    room[180:300, 240:400] = cv2.resize(shown.image, (160, 120), interpolation=cv2.INTER_AREA)
    with opened(
        f"http://{site.host}/", _film(tmp_path / "far.mjpeg", room), tmp_path / "b"
    ) as page:
        page.until("document.querySelector('#faces .flaws')?.textContent.includes('small face')")
        assert not [one for one in page.events if one.get("method") == "Runtime.exceptionThrown"]


def _teach(page: Page) -> None:
    page.press("3")  # fear
    page.until("document.querySelector('#consent').open")
    assert "grey picture" in page.value("document.querySelector('#consent-text').innerText")
    page.value("document.querySelector('#subject').value = 'p1'")
    page.click("#agree")
    page.click("#consent button[value=yes]")
    page.until("document.querySelectorAll('#toasts .toast').length === 1")
    page.click("#teach button[data-emotion=sad]")
    page.until("document.querySelectorAll('#toasts .toast').length === 2")


def _check_captures(site: Site, shown: SimpleNamespace) -> None:
    rows = inbox.read(site.service.paths.inbox).faces
    assert rows["label"].tolist() == ["fear", "sad"]
    assert rows["subject"].tolist() == ["p1", "p1"]
    drawn = canonical(shown.image, site.service.detector.detect(shown.image)[0].box)
    for face in table.decode(rows["image"]):
        # Film and frame are JPEG, so the pixels are near and not the same; nor are they mirrored,
        # as the picture on the page is.
        likeness, mirrored = _likeness(face, drawn), _likeness(face[:, ::-1], drawn)
        assert likeness > max(0.9, mirrored)


def _likeness(one: table.Pixels, other: table.Pixels) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _pause_and_go_on(page: Page) -> None:
    page.press(" ")
    page.until("!document.querySelector('#paused').hidden && stats.got === stats.sent")
    sent = page.value("stats.sent")
    assert page.value("new Promise((yes) => setTimeout(() => yes(stats.sent), 400))") == sent
    page.press(" ")
    page.until(f"stats.sent > {sent + 2}")


def _swap(page: Page, site: Site) -> None:
    site.registry.champion = 2
    site.service.predictor.refresh()
    page.until("document.querySelector('#model').textContent.startsWith('version 2')")
    page.until("document.querySelector('#toasts').innerText.includes('swapped')")
    page.until("document.querySelector('#faces strong').textContent === 'sad'")
    assert not page.value("document.querySelector('#toasts').innerText.includes('lost')")


def _downloaded(page: Page, folder: Path, act: Callable[[], None]) -> Path:
    page.call(
        "Browser.setDownloadBehavior",
        behavior="allow",
        downloadPath=str(folder),
        eventsEnabled=True,
    )
    page.events.clear()
    act()
    page.event("Browser.downloadProgress", state="completed")
    (file,) = folder.iterdir()
    return file


def _take_a_picture(page: Page, folder: Path) -> None:
    picture = _downloaded(page, folder, lambda: page.press("s"))
    pixels = cv2.imread(str(picture))
    assert pixels is not None
    assert pixels.shape == (480, 640, 3)


def test_who_shows_a_token_at_the_door_comes_in_and_goes_with_it(
    start: Serve, film: Path, tmp_path: Path
) -> None:
    site = start(closed=True)
    paths = site.service.paths
    token = tokens.new(paths, "phone", 1)
    with opened(f"http://{site.host}/#live", film, tmp_path / "browser") as page:
        _show(page, "wrong")
        page.until("document.querySelector('#why').textContent.includes('none of this server')")
        page.events.clear()
        _show(page, token)
        page.event("Page.loadEventFired")
        page.until("window.stats && stats.got > 2")
        assert not [one for one in page.events if one.get("method") == "Runtime.exceptionThrown"]
        _follow_a_link_of_another_site(page, site)
        page.events.clear()
        tokens.revoke(paths, "phone")
        page.event("Page.loadEventFired")
        assert page.value("document.querySelector('#door') !== null")


def _follow_a_link_of_another_site(page: Page, site: Site) -> None:
    page.events.clear()
    # Another site is another name here; the first click comes without the cookie, and the door
    # finds that this browser has one.
    page.call("Page.navigate", url=f"http://localhost:{site.host.partition(':')[2]}/healthz")
    page.event("Page.loadEventFired")
    page.events.clear()
    page.value(f"void setTimeout(() => {{ location.href = 'http://{site.host}/'; }})")
    # The door's, then the page's; a question in between would meet the change of pages.
    for _ in range(2):
        page.event("Page.loadEventFired")
        page.events.clear()
    page.until("window.stats && stats.got > 2")


def _show(page: Page, token: str) -> None:
    page.value(f"document.querySelector('#token').value = {json.dumps(token)}")
    page.click("#door button")


def test_every_version_shows_its_place_on_the_curves_and_its_conditions(
    site: Site, film: Path, tmp_path: Path
) -> None:
    with opened(f"http://{site.host}/#models", film, tmp_path / "browser") as page:
        page.until("document.querySelectorAll('#versions > li.panel').length === 2")
        shown = "[...document.querySelectorAll('#curve title')].map((one) => one.textContent)"
        assert "version 2, promoted: desk 75.0 %" in page.value(shown)
        conditions = "[...document.querySelectorAll('.conditions li')].map((one) => one.className)"
        assert page.value(conditions) == ["holds", "fails"]


def test_a_film_becomes_rows_to_take_away(
    site: Site, film: Path, shown: SimpleNamespace, tmp_path: Path
) -> None:
    avi = write_film(tmp_path / "film.avi", shown.image, 12)
    with opened(f"http://{site.host}/#pictures", film, tmp_path / "browser") as page:
        page.until("document.querySelector('#model')?.textContent.startsWith('version')")
        _choose(page, avi)
        page.until("document.querySelector('#gallery').innerText.includes('12 frames · 1 face')")
        assert "happy" in page.value("document.querySelector('#gallery table').innerText")
        csv = _downloaded(page, tmp_path / "csv", lambda: page.click("#csv"))
        rows = pd.read_csv(csv)
        assert rows["frame"].tolist() == list(range(12))
        assert set(rows["track"]) == {1}
        assert set(rows["path"]) == {"film.avi"}
        told = _downloaded(page, tmp_path / "json", lambda: page.click("#json"))
        readings = json.loads(told.read_text("utf-8"))
        assert [one["frame"] for one in readings] == list(range(12))
        assert (
            readings[0]["faces"][0]["box"] == rows.loc[0, ["x", "y", "width", "height"]].tolist()
        )


def _choose(page: Page, file: Path) -> None:
    page.call("DOM.enable")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])
