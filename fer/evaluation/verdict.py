"""What the gate found, in records and in words for people."""

from dataclasses import dataclass

from fer.evaluation.compare import Comparison
from fer.evaluation.scores import Scores, mean_over_domains


@dataclass(frozen=True)
class Condition:
    """One thing that must hold, in words for people, with the numbers.

    Args:
        name: What must hold.
        holds: Whether it does.
        expected: The limit.
        received: What was measured.
    """

    name: str
    holds: bool
    expected: str
    received: str


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate becomes champion, and why.

    Args:
        promote: Whether all conditions hold.
        conditions: In the order they are told.
        candidate: Its scores by domain.
        champion: The champion's scores by domain, or None without a champion.
        comparison: Against the champion; without one, against always answering the most
            common class.
    """

    promote: bool
    conditions: tuple[Condition, ...]
    candidate: dict[str, Scores]
    champion: dict[str, Scores] | None
    comparison: Comparison

    @property
    def unsure(self) -> bool:
        """Whether it is ahead of the champion, and too few faces to be sure is all that fails."""
        better, *others = self.conditions
        ahead = self.champion is not None and self.comparison.difference > 0
        return ahead and not better.holds and all(each.holds for each in others)

    @property
    def reasons(self) -> str:
        """One line for each condition that fails; where none does, what spoke for it."""
        failing = [each for each in self.conditions if not each.holds]
        told = failing or self.conditions[:1]
        return "\n".join(
            f"{each.name}: expected {each.expected}, received {each.received}" for each in told
        )


def as_markdown(verdict: Verdict) -> str:
    """Return the verdict for people: the conditions, then the accuracy in each domain."""
    title = "Promoted" if verdict.promote else "Not promoted"
    conditions = [
        _row("✓" if each.holds else "✗", each.name, each.expected, each.received)
        for each in verdict.conditions
    ]
    return "\n".join([
        f"# {title}", "",
        "|  | condition | expected | received |", "|---|---|---|---|", *conditions, "",
        "| domain | faces | champion | candidate | change |", "|---|--:|--:|--:|--:|",
        *_domain_lines(verdict.candidate, verdict.champion), "",
    ])  # fmt: skip


def percent(share: float) -> str:
    """Return `share` (0-1) in words: "71.9 %"."""
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """Return a difference of shares in words: "+1.50 points"."""
    return f"{100 * difference:+.2f} points"


def _domain_lines(candidate: dict[str, Scores], champion: dict[str, Scores] | None) -> list[str]:
    lines = [
        _line(name, new.rows, new.accuracy, champion[name].accuracy if champion else None)
        for name, new in candidate.items()
    ]
    old = mean_over_domains(champion) if champion else None
    rows = sum(each.rows for each in candidate.values())
    return [*lines, _line("**mean**", rows, mean_over_domains(candidate), old)]


def _line(name: str, rows: int, new: float, old: float | None) -> str:
    before, change = ("none", "none") if old is None else (percent(old), points(new - old))
    return _row(name, str(rows), before, percent(new), change)


def _row(*cells: str) -> str:
    # An error message or a domain may hold what would end the cell or the row.
    escaped = (" ".join(cell.split()).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
