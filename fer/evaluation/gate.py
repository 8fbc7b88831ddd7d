"""The rule: may the candidate take the champion's place?"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer.emotions import EMOTIONS
from fer.evaluation.answers import MAX_DIFFERENCE, Probabilities, Truth
from fer.evaluation.compare import Comparison, Counts, compare
from fer.evaluation.domains import FULL_WEIGHT_ROWS
from fer.evaluation.fresh import FreshCheck
from fer.evaluation.metrics import scores_by_domain
from fer.evaluation.scores import Scores, mean_over_domains
from fer.evaluation.verdict import Condition, Verdict, percent, points
from fer.params import PromoteParams

# A fall of exactly the margin is allowed, though 0.72 - 0.70 > 0.02 in binary.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the rule looks at. Both models answered the same rows.

    Args:
        truth: Labels of the validation rows.
        domains: Domain of each row, shape `(n,)`.
        candidate: Its answers.
        champion: Its answers, or None where there is no champion yet.
        fresh: Outcome of the check in a fresh process.
        data_accepted: Whether `validate` accepted the data version.
    """

    truth: Truth
    domains: NDArray[np.str_]
    candidate: Probabilities
    champion: Probabilities | None
    fresh: FreshCheck
    data_accepted: bool


def decide(evidence: Evidence, params: PromoteParams) -> Verdict:
    """Return whether the candidate may take the champion's place.

    Raises:
        DataError: There are no rows, or not as many answers as rows.
        ModelError: A model's answers are no probabilities.
    """
    candidate = scores_by_domain(evidence.truth, evidence.candidate, evidence.domains)
    champion = (
        scores_by_domain(evidence.truth, evidence.champion, evidence.domains)
        if evidence.champion is not None
        else None
    )
    comparison = _compared(evidence, params)
    conditions = (
        _better(evidence, candidate, comparison, params),
        *(
            (
                _no_domain_falls(comparison.by_domain, params),
                _no_emotion_falls(candidate, champion, params),
            )
            if champion
            else ()
        ),
        *_works(evidence.fresh, params),
        _accepted(evidence),
    )
    promote = all(each.holds for each in conditions)
    return Verdict(promote, conditions, candidate, champion, comparison)


# -- the conditions ------------------------------------------------------------------------


def _compared(evidence: Evidence, params: PromoteParams) -> Comparison:
    rival: Truth = (
        np.full_like(evidence.truth, _most_common(evidence))
        if evidence.champion is None
        else evidence.champion.argmax(axis=1)
    )
    return compare(
        evidence.candidate.argmax(axis=1) == evidence.truth,
        rival == evidence.truth,
        evidence.domains,
        confidence=params.confidence,
        resamples=params.resamples,
        seed=params.seed,
    )


def _most_common(evidence: Evidence) -> int:
    return int(np.bincount(evidence.truth).argmax())


def _better(
    evidence: Evidence,
    candidate: dict[str, Scores],
    found: Comparison,
    params: PromoteParams,
) -> Condition:
    accuracy = mean_over_domains(candidate)
    rival = (
        "the champion's"
        if evidence.champion is not None
        else f"that of always answering {EMOTIONS[_most_common(evidence)]},"
    )
    return Condition(
        name="better on the whole",
        holds=found.difference > 0 and found.lower_bound > 0,
        expected=f"accuracy above {rival} {percent(accuracy - found.difference)}, "
        f"at {100 * params.confidence:g} % confidence",
        received=f"{percent(accuracy)} ({points(found.difference)}, at least "
        f"{points(found.lower_bound)}; {found.wins} faces won, {found.losses} lost)",
    )


def _no_domain_falls(domains: dict[str, Counts], params: PromoteParams) -> Condition:
    """In a domain of 50 faces one face is two points: what chance does as often is no fall."""
    judged = {name: one for name, one in domains.items() if one.rows >= FULL_WEIGHT_ROWS}
    lucky = {name for name, one in judged.items() if one.luck > 1 - params.confidence}
    return _no_fall(
        f"no domain with {FULL_WEIGHT_ROWS} faces or more falls",
        {name: one.difference for name, one in judged.items()},
        params.domain_margin,
        lucky,
        f" that chance does not explain, at {100 * params.confidence:g} % confidence",
    )


def _no_emotion_falls(
    candidate: dict[str, Scores], champion: dict[str, Scores], params: PromoteParams
) -> Condition:
    return _no_fall(
        f"no emotion with {params.class_support} faces or more falls in recall",
        _recall_changes(candidate, champion, params.class_support),
        params.class_margin,
    )


def _recall_changes(
    candidate: dict[str, Scores], champion: dict[str, Scores], support: int
) -> dict[str, float]:
    new, old = _confusion(candidate), _confusion(champion)
    faces = new.sum(axis=1)
    return {
        emotion: (new[row, row] - old[row, row]) / faces[row]
        for row, emotion in enumerate(EMOTIONS)
        if faces[row] >= support
    }


def _confusion(by_domain: dict[str, Scores]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([each.confusion for each in by_domain.values()], axis=0)
    return total


def _no_fall(
    name: str,
    changes: dict[str, float],
    margin: float,
    lucky: Collection[str] = (),
    unless: str = "",
) -> Condition:
    beyond = {each: by for each, by in changes.items() if by < -margin - _ROUNDING}
    fallen = {each: by for each, by in beyond.items() if each not in lucky}
    told = fallen or {each: changes[each] for each in sorted(changes, key=changes.__getitem__)[:1]}
    return Condition(
        name=name,
        holds=not fallen,
        expected=f"none below {points(-margin)}{unless}",
        received=", ".join(f"{each} {points(by)}" for each, by in told.items()) or "none to judge",
    )


def _works(fresh: FreshCheck, params: PromoteParams) -> tuple[Condition, ...]:
    loads = Condition(
        "exported file loads in a fresh process", fresh.loads, "no error", fresh.message or "none"
    )
    if not fresh.loads:
        return (loads,)
    return (
        loads,
        Condition(
            name="exported file answers as the trained model did",
            holds=fresh.max_difference <= MAX_DIFFERENCE,
            expected=f"probabilities within {MAX_DIFFERENCE:.0e}",
            received=f"largest difference {fresh.max_difference:.1e}",
        ),
        Condition(
            name="fast enough",
            holds=fresh.ms_per_face <= params.max_ms_per_face,
            expected=f"at most {params.max_ms_per_face:.1f} ms a face",
            received=f"{fresh.ms_per_face:.1f} ms",
        ),
    )


def _accepted(evidence: Evidence) -> Condition:
    received = "accepted" if evidence.data_accepted else "refused"
    return Condition("data version is valid", evidence.data_accepted, "accepted", received)
