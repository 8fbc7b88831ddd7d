"""A verdict is told with all its numbers, whatever the words in it."""

import dataclasses
import json

import numpy as np

from fer.emotions import EMOTIONS
from fer.evaluation.compare import Comparison, Counts
from fer.evaluation.metrics import scores_by_domain
from fer.evaluation.scores import Scores
from fer.evaluation.verdict import Condition, Verdict, as_markdown

BETTER = Condition("better on the whole", holds=True, expected="above 70.0 %", received="90.0 %")
LOADS = Condition("exported file loads", holds=True, expected="no error", received="none")


def scored(*, wrong: float) -> dict[str, Scores]:
    """Return scores in two domains, a share `wrong` of each answered wrongly."""
    domains = np.repeat(["base", "camera"], [1400, 280])
    truth = np.arange(len(domains)) % 7
    predicted = truth.copy()
    for start, rows in ((0, 1400), (1400, 280)):
        few = slice(start, start + round(wrong * rows))
        predicted[few] = (predicted[few] + 1) % 7
    return scores_by_domain(truth, np.eye(7, dtype=np.float32)[predicted], domains)


def verdict(*conditions: Condition, champion: dict[str, Scores] | None) -> Verdict:
    """Return a verdict on a candidate that is right for nine in ten."""
    return Verdict(
        promote=all(each.holds for each in conditions),
        conditions=conditions,
        candidate=scored(wrong=0.1),
        champion=champion,
        comparison=Comparison(
            0.2, 0.18, 0.0, {"base": Counts(280, 1120, 0), "camera": Counts(56, 224, 0)}
        ),
    )


def test_markdown_has_the_numbers_of_every_domain_and_condition() -> None:
    told = verdict(BETTER, LOADS, champion=scored(wrong=0.3))

    text = as_markdown(told)

    assert text.startswith("# Promoted\n")
    assert "| base | 1400 | 70.0 % | 90.0 % | +20.00 points |" in text
    assert "| **mean** | 1680 | 70.0 % | 90.0 % | +20.00 points |" in text
    assert all(f"| ✓ | {each.name} |" in text for each in told.conditions)


def test_markdown_tables_survive_any_message() -> None:
    broken = dataclasses.replace(LOADS, holds=False, received="bad\nfile | worse")

    text = as_markdown(verdict(BETTER, broken, champion=None))

    assert text.startswith("# Not promoted\n")
    assert r"| no error | bad file \| worse |" in text
    assert "| base | 1400 | none | 90.0 % | none |" in text


def test_verdict_is_ready_for_json() -> None:
    told = json.loads(json.dumps(dataclasses.asdict(verdict(BETTER, champion=None))))

    assert told["promote"] is True
    assert list(told["candidate"]["camera"]["per_class"]) == list(EMOTIONS)
