"""Forget: one person leaves, with everything that was made of their faces."""

from fer.data import receipts
from fer.data.receipts import Receipt
from fer.errors import DataError
from fer.paths import Paths
from fer.privacy import begun, erase, places
from fer.privacy.look import Erasure, Proof, leftovers


def forget(person: str, paths: Paths) -> Receipt:
    """Erase everything of `person`; killed and run again, it goes on.

    An erasure of somebody else that was cut short is finished first.

    Raises:
        Busy: A step, an update or another erasure is running; says which process.
        DataError: Nothing of them is here; or a remote cannot be reached, or a shard is missing.
    """
    with begun.alone(paths, "update"):
        left = begun.unfinished(paths)
        if left is not None and (done := erase.erase(left, paths)) and left.person == person:
            return done
        receipt = receipts.begin("the person asked", person)
        found = erase.erase(Erasure(receipt, person, retire=True), paths)
    if found is None:
        before = [one for one in receipts.listed(paths) if one.is_about(person)]
        told = f"They were forgotten on {before[-1].began}." if before else "Look at the spelling."
        raise DataError(f"Expected faces of the subject {person!r}, found none. {told}")
    return found


def verify(person: str, paths: Paths) -> Proof:
    """Search every byte for what the receipts say was erased of `person`, and for their name.

    Raises:
        DataError: No receipt is about them, their erasure was cut short, or a remote cannot be
            reached.
    """
    unfinished = begun.unfinished(paths)
    if unfinished is not None and unfinished.person == person:
        raise DataError("Expected an erasure that has ended, received one that was cut short. "
                        "Run it again.")  # fmt: skip
    about = [one for one in receipts.listed(paths) if one.is_about(person)]
    if not about:
        raise DataError(f"Expected a receipt about the subject {person!r}, found none.")
    with places.stores(paths) as stores:
        proofs = [leftovers(one, person, paths, stores) for one in about]
    left = sorted({name for proof in proofs for name in proof.left})
    return Proof(proofs[-1].files, proofs[-1].megabytes, left)
