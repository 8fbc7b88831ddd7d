"""Who agreed that their face is kept, and until when."""

from datetime import datetime

import pandas as pd

from fer.records import Consent


def consented(faces: pd.DataFrame) -> pd.Series:
    """Return whether each face was taken under a consent: a webcam face needs one for its time."""
    columns = (faces[name] for name in ("source", "consent", "captured_at"))
    allowed = [
        source != "webcam" or _allowed(given, moment)
        for source, given, moment in zip(*columns, strict=True)
    ]
    return pd.Series(allowed, faces.index, dtype=bool)


def ended(faces: pd.DataFrame, moment: datetime) -> pd.Series:
    """Return whether the consent of each webcam face is over at `moment` (with time zone).

    A face without a consent has none that could end.
    """
    expiries = [
        given["expires_at"] if source == "webcam" and isinstance(given, dict) else None
        for source, given in zip(faces["source"], faces["consent"], strict=True)
    ]
    over = [expiry is not None and expiry <= moment for expiry in expiries]
    return pd.Series(over, faces.index, dtype=bool)


def _allowed(given: object, moment: pd.Timestamp) -> bool:
    if not isinstance(given, dict) or pd.isna(moment):
        return False
    complete = all(given[name] for name in ("text", "purpose", "given_at", "expires_at"))
    return complete and Consent(**given).covers(moment)
