"""Colours, and mixing them."""

Colour = tuple[float, float, float]
"""Blue, green, red, 0-255."""


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return `share` of `other` in `one`."""
    (a, b, c), (d, e, f) = one, other
    return a + (d - a) * share, b + (e - b) * share, c + (f - c) * share


def darker(colour: Colour, share: float) -> Colour:
    """Return `colour` with `share` of black in it."""
    return mix(colour, (0, 0, 0), share)
