"""What can be said of a face's picture without knowing the face."""

import cv2
import pandas as pd

from fer.data.table import Pixels


def describe(faces: Pixels) -> pd.DataFrame:
    """Return brightness, contrast and sharpness of each face, shape `(n, 3)`.

    Brightness is the mean grey level (0-255), contrast its standard deviation, sharpness the
    variance of the Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing").
    """
    return pd.DataFrame(
        [_measured(face) for face in faces], columns=["brightness", "contrast", "sharpness"]
    ).astype(float)


def _measured(face: Pixels) -> tuple[float, float, float]:
    mean, deviation = cv2.meanStdDev(face)
    # Its values fit: at most 4 times 255 either way.
    edges = cv2.meanStdDev(cv2.Laplacian(face, cv2.CV_16S))[1]
    return mean.item(), deviation.item(), edges.item() ** 2
