"""Who overtakes whom on a learning curve: found by `harness.stats.overtaking`, told in words here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 12  # pairs that are told of, those that are shown first


@dataclass(frozen=True)
class Overtaking:
    """Two rows whose order at the smallest and the largest size that both have differs, and which can be told apart at some size.

    Attributes:
        early, late: the one that is ahead at the smallest size, and at the largest.
        differences: late minus early at each of the curve's sizes, over the seeds that both have; None where there are none.
        verdicts: at each size -1 (early is ahead), 1 (late is) or 0 (they cannot be told apart); None where nothing was tested.
        crossings: numbers of rows at which straight lines between the means, on the logarithmic scale, cross: estimates.
    """

    early: str
    late: str
    differences: tuple[float | None, ...]
    verdicts: tuple[int | None, ...]
    crossings: tuple[float, ...]

    @property
    def shown(self) -> bool:
        """Whether the one was really ahead and then the other was; else one of the two leads is chance as far as anybody knows."""
        known = [verdict for verdict in self.verdicts if verdict]
        return -1 in known and 1 in known[known.index(-1) :]


@dataclass(frozen=True)
class Crossed:
    """What `harness.stats.overtaking` finds on a task.

    Attributes:
        overtakings: those that are shown first, then by title.
        unproven: pairs of which the means change their order, but which no size tells apart.
    """

    overtakings: tuple[Overtaking, ...] = ()
    unproven: int = 0


def sentences(crossed: Crossed, sizes: Sequence[str]) -> list[str]:
    """What is to be said of each pair, and how many pairs there is nothing to say of.

    Args:
        crossed: of a curve.
        sizes: labels of the curve's sizes, such as `100` and `all 1,800`.
    """
    lines = [_sentence(one, sizes) for one in crossed.overtakings[:MOST]]
    if len(crossed.overtakings) > MOST:
        lines.append(f"{len(crossed.overtakings) - MOST} more of such pairs are in bench leaderboard --format json.")
    if crossed.unproven:
        other = "other " if lines else ""
        pairs = (
            f"1 {other}pair changes its" if crossed.unproven == 1 else f"{crossed.unproven} {other}pairs change their"
        )
        lines.append(f"{pairs} order by the means alone: no size tells the two apart.")
    return lines


def _sentence(one: Overtaking, sizes: Sequence[str]) -> str:
    tested = [(label, verdict) for label, verdict in zip(sizes, one.verdicts, strict=True) if verdict is not None]
    labels = [label for label, _ in tested]
    early, late = ([place for place, (_, v) in enumerate(tested) if v == way] for way in (-1, 1))
    same = [label for label, verdict in tested if verdict == 0]
    before, after = _before(early, labels), _after(late, labels)
    if early and late:
        said = f"{one.early} is ahead {before}, {one.late} {after}"
    elif early:
        said = f"{one.early} is ahead {before}, but is not shown to be overtaken by {one.late}"
    else:
        said = f"{one.late} is ahead {after}, but {one.early} is not shown to be ahead before"
    told = f"{said}; at {_joined(same)} they cannot be told apart." if same else f"{said}."
    return f"{told} {_estimate(one.crossings)}".strip()


def _before(places: Sequence[int], labels: Sequence[str]) -> str:
    """`up to 300 rows`, or the sizes one by one where there are others between."""
    if len(places) > 1 and list(places) == list(range(len(places))):
        return f"up to {labels[places[-1]]} rows"
    return f"at {_joined([labels[place] for place in places])} rows"


def _after(places: Sequence[int], labels: Sequence[str]) -> str:
    """`from 1,000 rows on`, or the sizes one by one."""
    if len(places) > 1 and list(places) == list(range(places[0], len(labels))):
        return f"from {labels[places[0]]} rows on"
    return f"at {_joined([labels[place] for place in places])} rows"


def _estimate(crossings: Sequence[float]) -> str:
    told = _joined([f"{_rounded(rows):,}" for rows in crossings])
    return f"Estimate: the means cross at about {told} rows." if told else ""


def _rounded(rows: float) -> int:
    """Two digits: an estimate knows no more."""
    return int(float(f"{rows:.2g}"))


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
