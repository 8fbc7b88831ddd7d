"""A recompressed, relit or slightly moved picture is found; another face is not."""

from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd
import pytest

from fer import params
from fer.data import near_copies, table
from fer.data.synthetic import draw_faces
from fer.data.table import Pixels
from fer.paths import Paths

Faces = Callable[..., pd.DataFrame]


def recompressed(face: Pixels) -> Pixels:
    jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE))


def relit(face: Pixels) -> Pixels:
    return (face * 0.6 + 40).astype(np.uint8)


def resized(face: Pixels) -> Pixels:
    larger = cv2.resize(face, (100, 100), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(larger, (48, 48), interpolation=cv2.INTER_AREA))


def noisy(face: Pixels) -> Pixels:
    noise = np.random.default_rng(0).normal(scale=4, size=face.shape)
    return (face + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture
def threshold(paths: Paths) -> float:
    """Return the shipped setting: it has to find these copies and no more."""
    return params.load(paths.params).ingest.near_copy


@pytest.fixture
def pixels(faces: Faces) -> Pixels:
    return table.decode(faces(60)["image"])


@pytest.mark.parametrize("change", [recompressed, relit, resized, noisy])
def test_a_changed_picture_is_a_near_copy_of_its_own_original_alone(
    pixels: Pixels, change: Callable[[Pixels], Pixels], threshold: float
) -> None:
    changed = np.stack([change(face) for face in pixels])
    clusters = near_copies.clusters(
        near_copies.fingerprints(np.concatenate([pixels, changed])), threshold
    )
    originals, copies = clusters[:60], clusters[60:]
    np.testing.assert_array_equal(originals, copies)
    assert len(set(originals)) == 60


def test_drawn_faces_of_different_people_are_no_near_copies(threshold: float) -> None:
    drawn = draw_faces(
        camera="studio", subjects=[f"s{number}" for number in range(40)], per_subject=1, seed=3
    )
    prints = near_copies.fingerprints(table.decode(drawn["image"]))
    assert len(set(near_copies.clusters(prints, threshold))) == 40


def test_a_chain_of_near_copies_is_one_cluster(pixels: Pixels, threshold: float) -> None:
    one, other = pixels[0].astype(float), pixels[1].astype(float)
    steps = np.stack([(one + (other - one) * part / 12).astype(np.uint8) for part in range(13)])
    prints = near_copies.fingerprints(steps)
    assert prints[0] @ prints[-1] < threshold
    assert len(set(near_copies.clusters(prints, threshold))) == 1


def test_clusters_do_not_depend_on_the_order(pixels: Pixels, threshold: float) -> None:
    faces = np.concatenate([pixels, np.stack([recompressed(face) for face in pixels[:20]])])
    order = np.random.default_rng(0).permutation(len(faces))
    prints = near_copies.fingerprints(faces)
    straight = near_copies.clusters(prints, threshold)
    mixed = near_copies.clusters(prints[order], threshold)
    together = straight[order][:, None] == straight[order]
    np.testing.assert_array_equal(together, mixed[:, None] == mixed)


def test_blocks_do_not_change_the_clusters(
    pixels: Pixels, monkeypatch: pytest.MonkeyPatch, threshold: float
) -> None:
    faces = np.concatenate([pixels, np.stack([recompressed(face) for face in pixels])])
    prints = near_copies.fingerprints(faces)
    whole = near_copies.clusters(prints, threshold)
    monkeypatch.setattr(near_copies, "_BLOCK", 900)  # seven of 120 rows at a time
    blocks = near_copies.clusters(prints, threshold)
    np.testing.assert_array_equal(whole[:, None] == whole, blocks[:, None] == blocks)


def test_a_plain_picture_is_a_near_copy_of_nothing(pixels: Pixels, threshold: float) -> None:
    plain = np.full((2, 48, 48), 128, np.uint8)
    prints = near_copies.fingerprints(np.concatenate([pixels[:5], plain]))
    assert np.isfinite(prints).all()
    assert len(set(near_copies.clusters(prints, threshold))) == 7


def test_no_faces_have_no_clusters(threshold: float) -> None:
    none = near_copies.fingerprints(np.empty((0, 48, 48), np.uint8))
    assert near_copies.clusters(none, threshold).shape == (0,)
