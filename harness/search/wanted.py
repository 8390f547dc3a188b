"""What `--search` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import BenchError
from harness.methods import METHODS, inapplicable_fields
from harness.recipe import FIELD_TYPES, MECHANICS, Recipe, full_name

# How the work is cut up and with which numbers it is computed is no matter of how well a model learns.
FIELDS = tuple(name for name in FIELD_TYPES if name not in (*MECHANICS, "precision"))
GRID, SUITE, OPTUNA, AUTO = "grid", "suite", "optuna", "auto"
NONE = "none"  # no search: what the command line says where a suite asks for one
OPTION = "--search"
RATE = "learning_rate"


@dataclass(frozen=True)
class Wanted:
    """A search as the command line or a suite asks for it.

    Attributes:
        kind: `grid` (of the command line), `suite` (the suite's grid), `optuna` or `auto` (`harness.search.halving`).
        fields: recipe field → its values, of a `grid`; the first field varies slowest.
        trials: of `optuna`, for each model, task and method.
        where: what asks for it, for messages: the option, or the place in a suite file.
    """

    kind: str
    fields: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    trials: int = 0
    where: str = field(default=OPTION, compare=False)

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{self.where} {' '.join(self.arguments)}"

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it searches, as far as that depends on no suite."""
        return (RATE,) if self.kind == AUTO else tuple(self.fields)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The values of `--search` that ask for it again."""
        if self.kind == GRID:
            return tuple(f"{name}={','.join(map(_text, values))}" for name, values in self.fields.items())
        return (f"{OPTUNA}:{self.trials}",) if self.kind == OPTUNA else (self.kind,)


def read_wanted(texts: Sequence[str], where: str = OPTION) -> Wanted | None:
    """What the values of `--search` ask for; None without any, and of `none`.

    Args:
        where: of the values, for messages.

    Raises:
        BenchError: one that cannot be read, or that chooses nothing.
    """
    if not texts or list(texts) == [NONE]:
        return None
    kinds = {_kind(text) for text in texts}
    if len(kinds) > 1 or (kinds != {GRID} and len(texts) > 1):
        raise BenchError(
            f"{where} {' '.join(texts)}: name fields, or one of {AUTO}, {OPTUNA}:N, {SUITE} and {NONE}; only fields may be several"
        )
    if kinds <= {SUITE, AUTO}:
        return Wanted(*kinds, where=where)
    if kinds == {OPTUNA}:
        return Wanted(OPTUNA, trials=_trials(texts[0], where), where=where)
    fields: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, values = _values(text, where)
        if name in fields:
            raise BenchError(f"{where} {text}: {name} is named twice; put all its values behind one {name}=")
        fields[name] = values
    return Wanted(GRID, fields, where=where)


def check(wanted: Wanted, fields: Sequence[str], methods: Sequence[str], settings: Mapping[str, str]) -> None:
    """Whether every method has the fields, and `--set` leaves them alone.

    Args:
        wanted: the search, for messages.
        fields: that are to be searched.
        methods: of the request; unknown ones are not this function's business.
        settings: of the request, by the full names of the fields.

    Raises:
        BenchError: it is not so.
    """
    for name in fields:
        without = [method for method in methods if method in METHODS and name in inapplicable_fields(method)]
        if without:
            owners = ",".join(method.name for method in METHODS.values() if name in method.fields)
            raise BenchError(
                f"{wanted.title}: method {without[0]} has no field {name}, and every row gets the same search; use --methods {owners}"
            )
        if name in settings:
            cure = "leave one of the two out" if wanted.where == OPTION else f"leave it out, or add --search {NONE}"
            raise BenchError(
                f"{wanted.title}: --set recipe.{name}={settings[name]} fixes what is to be searched; {cure}"
            )


def _kind(text: str) -> str:
    head = text.partition("=")[0].strip()
    if "=" in text:
        return GRID
    return OPTUNA if head.partition(":")[0] == OPTUNA else head if head in (SUITE, AUTO) else GRID


def _trials(text: str, where: str) -> int:
    number = text.partition(":")[2].strip()
    if not number.isdecimal() or int(number) < 2:
        raise BenchError(f"{where} {text}: must be {OPTUNA}:N with 2 or more trials, such as {OPTUNA}:20")
    return int(number)


def _values(text: str, where: str) -> tuple[str, tuple[Any, ...]]:
    name, equals, listed = text.partition("=")
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    if not equals:
        raise BenchError(f"{where} {text}: must be FIELD=V1,V2 (such as lr=1e-5,3e-5), {AUTO}, {OPTUNA}:N or {SUITE}")
    name = full_name(name, where, FIELDS, "field to search")
    try:
        values = tuple(coerced(name, part) for part in parts)
    except BenchError as error:
        raise BenchError(f"{where} {text}: {error}") from None
    if len(values) < 2:
        fixed = f"; to fix it: --set recipe.{name}={parts[0]}" if parts else ""
        raise BenchError(f"{where} {text}: one value leaves nothing to choose; give two or more{fixed}")
    if len(set(values)) < len(values):
        raise BenchError(f"{where} {text}: the same value twice; every value is a training of its own")
    return name, values


def coerced(name: str, value: Any) -> Any:
    """A value as the recipe's field holds it.

    Raises:
        BenchError: the field cannot have it.
    """
    return getattr(Recipe().updated({name: value}), name)


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
