"""Who agreed that their face is kept."""

import pandas as pd

from fer.records import Consent


def consented(faces: pd.DataFrame) -> pd.Series:
    """Return whether each face may be kept: a webcam face needs a consent for its time."""
    return faces.apply(_allowed, axis=1).astype(bool) if len(faces) else pd.Series(dtype=bool)


def _allowed(face: pd.Series) -> bool:
    if face["source"] != "webcam":
        return True
    given, moment = face["consent"], face["captured_at"]
    if not isinstance(given, dict) or pd.isna(moment):
        return False
    dated = given["given_at"] is not None and given["expires_at"] is not None
    return dated and Consent(**given).covers(moment)
