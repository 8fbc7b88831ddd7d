"""What can be said of a face's picture without knowing the face."""

import cv2
import numpy as np
import pandas as pd

from fer.data.table import Pixels


def describe(faces: Pixels) -> pd.DataFrame:
    """Return brightness, contrast and sharpness of each face, shape `(n, 3)`.

    Brightness is the mean grey level (0-255), contrast its standard deviation, sharpness the
    variance of the Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing").
    """
    sharpness = [float(cv2.Laplacian(face, cv2.CV_64F).var()) for face in faces]
    return pd.DataFrame({
        "brightness": faces.mean(axis=(1, 2)),
        "contrast": faces.std(axis=(1, 2)),
        "sharpness": np.array(sharpness, float),
    })  # fmt: skip
