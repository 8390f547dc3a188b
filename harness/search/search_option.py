"""The option `--search` and its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import BenchError
from harness.methods import METHODS, inapplicable_fields
from harness.recipe import FIELD_TYPES, MECHANICS, Recipe, full_name

# The searchable fields: not those that only split up the work or set its numeric precision.
FIELDS = tuple(name for name in FIELD_TYPES if name not in (*MECHANICS, "precision"))
GRID, SUITE, OPTUNA, AUTO = "grid", "suite", "optuna", "auto"
NONE = "none"  # no search; on the command line it switches off the search of a suite
OPTION = "--search"
RATE = "learning_rate"


@dataclass(frozen=True)
class SearchRequest:
    """The search that the command line or a suite requests.

    Attributes:
        kind: `grid` (of the command line), `suite` (the suite's grid), `optuna` or `auto` (successive halving).
        fields: recipe field → its values, for a `grid`; the first field varies slowest.
        trials: number of trials of `optuna` for each model, task and method.
        where: the source of the request, for messages: the option, or a key of a suite file.
    """

    kind: str
    fields: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    trials: int = 0
    where: str = field(default=OPTION, compare=False)

    @property
    def title(self) -> str:
        """The request as messages name it."""
        return f"{self.where} {' '.join(self.arguments)}"

    @property
    def names(self) -> tuple[str, ...]:
        """The searched fields, where they do not depend on the suite."""
        return (RATE,) if self.kind == AUTO else tuple(self.fields)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The values of `--search` that make the same request."""
        if self.kind == GRID:
            return tuple(f"{name}={','.join(map(_text, values))}" for name, values in self.fields.items())
        return (f"{OPTUNA}:{self.trials}",) if self.kind == OPTUNA else (self.kind,)


def parse_search(texts: Sequence[str], where: str = OPTION) -> SearchRequest | None:
    """Parse the values of `--search`, with their source for messages. None if there are none, or if the value is `none`.

    Raises:
        BenchError: a value is invalid, or leaves nothing to choose.
    """
    if not texts or list(texts) == [NONE]:
        return None
    kinds = {_kind(text) for text in texts}
    if len(kinds) > 1 or (kinds != {GRID} and len(texts) > 1):
        raise BenchError(
            f"{where} {' '.join(texts)}: name fields, or one of {AUTO}, {OPTUNA}:N, {SUITE} and {NONE}; only fields may be several"
        )
    if kinds <= {SUITE, AUTO}:
        return SearchRequest(*kinds, where=where)
    if kinds == {OPTUNA}:
        return SearchRequest(OPTUNA, trials=_number_of_trials(texts[0], where), where=where)
    fields: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, values = _field_values(text, where)
        if name in fields:
            raise BenchError(f"{where} {text}: {name} is named twice; put all its values behind one {name}=")
        fields[name] = values
    return SearchRequest(GRID, fields, where=where)


def check_fields(
    request: SearchRequest, fields: Sequence[str], methods: Sequence[str], settings: Mapping[str, str]
) -> None:
    """Raise `BenchError` unless every method has the searched fields and `--set` fixes none of them.

    Args:
        request: the search, for messages.
        fields: the fields to search.
        methods: the methods of the run. Unknown ones are ignored here.
        settings: the values of `--set`, by full field names.
    """
    for name in fields:
        without = [method for method in methods if method in METHODS and name in inapplicable_fields(method)]
        if without:
            owners = ",".join(method.name for method in METHODS.values() if name in method.fields)
            raise BenchError(
                f"{request.title}: method {without[0]} has no field {name}, and every row gets the same search; use --methods {owners}"
            )
        if name in settings:
            cure = "leave one of the two out" if request.where == OPTION else f"leave it out, or add --search {NONE}"
            raise BenchError(
                f"{request.title}: --set recipe.{name}={settings[name]} fixes what is to be searched; {cure}"
            )


def recipe_value(name: str, value: Any) -> Any:
    """Convert a value to the type of its recipe field, or raise `BenchError` if it is invalid."""
    return getattr(Recipe().updated({name: value}), name)


def _kind(text: str) -> str:
    if "=" in text:
        return GRID
    name = text.strip()
    return OPTUNA if name.partition(":")[0] == OPTUNA else name if name in (SUITE, AUTO) else GRID


def _number_of_trials(text: str, where: str) -> int:
    number = text.partition(":")[2].strip()
    if not number.isdecimal() or int(number) < 2:
        raise BenchError(f"{where} {text}: must be {OPTUNA}:N with 2 or more trials, such as {OPTUNA}:20")
    return int(number)


def _field_values(text: str, where: str) -> tuple[str, tuple[Any, ...]]:
    name, equals, values_text = text.partition("=")
    parts = [part.strip() for part in values_text.split(",") if part.strip()]
    if not equals:
        raise BenchError(f"{where} {text}: must be FIELD=V1,V2 (such as lr=1e-5,3e-5), {AUTO}, {OPTUNA}:N or {SUITE}")
    name = full_name(name, where, FIELDS, "field to search")
    try:
        values = tuple(recipe_value(name, part) for part in parts)
    except BenchError as error:
        raise BenchError(f"{where} {text}: {error}") from None
    if len(values) < 2:
        fixed = f"; to fix it: --set recipe.{name}={parts[0]}" if parts else ""
        raise BenchError(f"{where} {text}: one value leaves nothing to choose; give two or more{fixed}")
    if len(set(values)) < len(values):
        raise BenchError(f"{where} {text}: the same value twice; every value is a training of its own")
    return name, values


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
