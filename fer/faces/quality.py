"""What about a face makes its answer less sure: it is small, seen from the side, or cut off."""

from typing import Literal

Flaw = Literal["small", "side", "cut"]
"""Too few pixels, turned away, or partly beyond the frame."""
