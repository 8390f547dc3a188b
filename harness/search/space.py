"""What Optuna may draw a recipe from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import BenchError
from harness.recipe import Recipe, scaled
from harness.search.wanted import coerced

DIGITS = 3  # of a number that is drawn: more would make no difference and cannot be read
AROUND = 5.0  # the usual learning rate is divided and multiplied by this, where a suite says nothing
BATCHES = (16, 32)  # as BERT's own grid has them (Devlin et al. 2019, appendix A.3)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both are; with `log` every power of ten counts alike."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, name: str, content: Mapping[str, Any]) -> Range:
        """The range of a recipe field as a suite writes it.

        Raises:
            BenchError: it is none.
        """
        if not {"low", "high"} <= set(content) <= {"low", "high", "log"}:
            raise BenchError(f"{name} is {dict(content)}; a range has low, high, and log where it is one of powers")
        low, high = coerced(name, content["low"]), coerced(name, content["high"])
        if isinstance(low, str) or not low < high or (content.get("log") and low <= 0):
            raise BenchError(f"{name} is {dict(content)}; low must be a number below high, and above 0 with log")
        return cls(low, high, bool(content.get("log", False)))

    def times(self, factor: float) -> Range:
        """Both ends multiplied."""
        return Range(scaled(self.low, factor), scaled(self.high, factor), self.log)


Space = Mapping[str, tuple[Any, ...] | Range]


def usual_space(recipe: Recipe) -> dict[str, tuple[Any, ...] | Range]:
    """The space where a suite gives none: learning rates around the recipe's, and batches of 16 and 32.

    Epochs are not in it: the best validation is kept, and trainings of one length are what pruning can compare.
    """
    rate = recipe.learning_rate
    return {"learning_rate": Range(scaled(rate, 1 / AROUND), scaled(rate, AROUND), log=True), "batch_size": BATCHES}


def plain(space: Space) -> dict[str, Any]:
    """The same as plain values."""
    return {name: asdict(one) if isinstance(one, Range) else list(one) for name, one in space.items()}


def distributions(space: Space) -> dict[str, Any]:
    """The same as Optuna's distributions."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, Any] = {}
    for name, one in space.items():
        if not isinstance(one, Range):
            found[name] = CategoricalDistribution(one)
        else:
            kind = IntDistribution if isinstance(one.low, int) and isinstance(one.high, int) else FloatDistribution
            found[name] = kind(one.low, one.high, log=one.log)
    return found


def rounded(value: Any) -> Any:
    """A drawn number with as many digits as one can read."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
