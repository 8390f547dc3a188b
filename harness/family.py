"""The contract of a task family: the adapter between a data set's columns and a head.

A family is one class in one file. It never touches tensors: it turns rows into the examples of a head, and the head's
outputs into predictions, and names the metrics. The command line imports the modules that define families, so they
import torch, evaluate and so on only inside functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness import languages
from harness.errors import BenchError, unknown
from harness.finding import Finding
from harness.proposal import Proposal, find_columns
from harness.safe_text import short
from harness.task import Task

if TYPE_CHECKING:
    from harness.metrics.additive import Additive

ARCHITECTURES = ("encoder", "decoder", "encoder-decoder")
ANSWERS = ("label", "tags", "target", "answers")  # columns that a model has to predict
LANGUAGE = "language"  # in `option_values`: the option's value is a language code
INPUT_TYPES = (str, list, tuple)  # a union would be built again for every row

Row = dict[str, Any]
Prediction = Any  # anything that json.dumps accepts


@dataclass(frozen=True)
class Metric:
    """The metric that ranks models: a key of `TaskFamily.score`'s result, and the `scale` that brings it to 0-100."""

    name: str
    scale: float

    def score(self, metrics: Mapping[str, Any]) -> float:
        """Return the score in 0-100 from the result of `TaskFamily.score`."""
        return metrics[self.name] * self.scale


def key_of(texts: Mapping[str, str | Sequence[str]], inputs: Sequence[str]) -> tuple[Hashable, ...]:
    """Return `TaskFamily.key` for the `texts` of a row, from the columns in `inputs` (all if `inputs` is empty)."""
    key: list[Hashable] = []
    empty = True
    for name, value in texts.items():
        if inputs and name not in inputs:
            continue
        if isinstance(value, str):
            key.append(value)
            empty = empty and (not value or value.isspace())
        else:
            key.append(tuple(value))
            empty = empty and not " ".join(value).strip()
    return () if empty else tuple(key)


class TaskFamily(ABC):
    """Base class of all task families.

    Attributes:
        name: the name in task files and on the command line.
        description: one line for `bench tasks`.
        version: raised when the same rows would give another score; part of every cell's identity.
        columns: required column → what it holds.
        optional_columns: the same for columns that a data set may have. `id`, `group` and `phenomenon` are always
            allowed.
        column_types: column → its type, a constant of `harness.data.values`. Values are converted to this type before
            `prepare`, and a row with another value is refused. A column without a type reaches `prepare` as the data
            set has it.
        usual_names: column → what data sets often call it, in lower case, the likeliest first.
        inputs: the columns that a model reads; empty: all but `label`, `tags`, `target` and `answers`.
        options: option of a task file → what it does. Every family also has the option `metric`.
        option_values: option → its valid values (texts, or True and False), or `LANGUAGE` for a language code. Other
            options take any value; `check_options` checks them.
        head: `module:Class` of a `harness.heads.base.Head`, imported in the worker.
        primary_metric: the key of `score`'s result that ranks models on validation and is reported on test, unless a
            task names another one; call `metric(task)` for the one that applies.
        scale: the factor that brings the primary metric to 0–100.
        metrics: other keys of `score`'s result that a task may choose with `options: {metric: …}` → their scales.
        recipes: recipe rules for all its cells (see `harness.recipe_rules`); those by kind of model and a suite's are
            applied later.
        passes: how many times as many epochs as a classifier it needs on few rows (see `harness.recipe_rules`).
        architectures: the architectures that can solve it.
        needs_offsets: True if the head maps tokens back to the text and so needs a fast tokeniser.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    version: ClassVar[int] = 1
    columns: ClassVar[Mapping[str, str]]
    optional_columns: ClassVar[Mapping[str, str]] = {}
    column_types: ClassVar[Mapping[str, str]] = {}
    usual_names: ClassVar[Mapping[str, Sequence[str]]] = {}
    inputs: ClassVar[Sequence[str]] = ()
    options: ClassVar[Mapping[str, str]] = {}
    option_values: ClassVar[Mapping[str, Sequence[str | bool] | str]] = {}
    head: ClassVar[str]
    primary_metric: ClassVar[str]
    scale: ClassVar[float] = 100.0
    metrics: ClassVar[Mapping[str, float]] = {}
    recipes: ClassVar[Sequence[Mapping[str, Any]]] = ()
    passes: ClassVar[float] = 1.0
    architectures: ClassVar[Sequence[str]] = ARCHITECTURES
    needs_offsets: ClassVar[bool] = False

    @property
    def _scales(self) -> dict[str, float]:
        """Metric → its scale, the primary one first."""
        return {self.primary_metric: self.scale, **self.metrics}

    @property
    def known_options(self) -> dict[str, str]:
        """Option → what it does: the family's own options, and `metric`."""
        return {**self.options, "metric": f"what ranks models, by default the first of: {', '.join(self._scales)}"}

    def option_fault(self, name: str, value: Any) -> str:
        """Explain why a value is invalid for an option, and what is valid; "" if it is valid."""
        valid = self._valid_values(name)
        if valid is None:
            return ""
        if valid == LANGUAGE:
            return languages.code_error(value)
        if any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in valid):
            return ""
        return str(unknown("value", short(str(value)), map(_as_yaml, valid)))

    def takes_truth(self, name: str) -> bool:
        """Whether `true` and `false` may be values of an option."""
        valid = self._valid_values(name)
        return valid is None or (valid != LANGUAGE and any(isinstance(one, bool) for one in valid))

    def valid_option(self, name: str) -> str:
        """Return the valid values of an option for a message; "" if they are not known."""
        valid = self._valid_values(name)
        return "" if valid is None else "the code of a language" if valid == LANGUAGE else ", ".join(map(_as_yaml, valid))

    def _valid_values(self, name: str) -> Sequence[str | bool] | str | None:
        return tuple(self._scales) if name == "metric" else self.option_values.get(name)

    def metric(self, task: Task) -> Metric:
        """Return the metric that ranks models on a task: the one its options name, else the primary one.

        Raises:
            BenchError: the option names none of the family's metrics.
        """
        name = task.options.get("metric") or self.primary_metric
        if name not in self._scales:
            raise unknown(f"metric of family {self.name}", name, self._scales, where=f"task {task.name!r}, options")
        return Metric(name, self._scales[name])

    def accept(self, task: Task) -> None:
        """Check a task's options, before any data are read.

        Raises:
            BenchError: an unknown option or an invalid value, and what to do.
        """
        for option in task.options:
            if option not in self.known_options:
                raise unknown(f"option of family {self.name}", option, self.known_options, where=f"task {task.name!r}")
        self.metric(task)
        for option, value in task.options.items():
            if fault := self.option_fault(option, value):
                raise BenchError(f"task {task.name!r}: options.{option}: {fault}")
        self.check_options(task)

    def check_options(self, task: Task) -> None:  # noqa: B027 - most families have nothing to check
        """Check the family's own options, and that what they need is installed; called by `accept`.

        Raises:
            BenchError: what is wrong with them, and what to do.
        """

    def prepare(self, row: Row, task: Task) -> Row:
        """Return a row with the family's columns as heads and metrics expect them.

        Args:
            row: its columns already have the types of `column_types`.

        Raises:
            ValueError: what is wrong with the row; the caller adds split, file and line.
        """
        return row

    def harmonise(self, rows: list[Row], task: Task, report: dict[str, Any]) -> list[Row]:
        """Adjust the prepared rows of a split to each other, if no single row tells enough, as with tagging schemes.

        Args:
            rows: their order and number must not change.
            report: what the reader reported; the family may add to it.

        Raises:
            BenchError: what is wrong, with the location of the row (see `harness.data.place`).
        """
        return rows

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str] | None:
        """Return the class names in a fixed order; None for a family without classes."""
        return None

    def stratum(self, row: Row) -> Hashable | None:
        """Return the value whose proportions a random split keeps, such as the label."""
        return None

    def texts(self, row: Row) -> dict[str, str | Sequence[str]]:
        """Return column → text (or words) of all that a model reads or writes; checks use their lengths and characters.

        By default these are the `inputs`. Rows with equal `inputs` count as duplicates.
        """
        return self._inputs(row)

    def key(self, row: Row) -> tuple[Hashable, ...]:
        """Return what a model reads of a row: rows with equal keys are the same to it. Empty for a row without text."""
        return key_of(self.texts(row), self.inputs)

    def _inputs(self, row: Row) -> dict[str, str | Sequence[str]]:
        names = self.inputs or [name for name in (*self.columns, *self.optional_columns) if name not in ANSWERS]
        return {name: value for name in names if isinstance(value := row.get(name), INPUT_TYPES)}

    def length(self, row: Row, task: Task) -> int | None:
        """Return the number of words in the `inputs`, for scores by length; None: there are no such scores."""
        texts = self._inputs(row).values()
        if not texts:
            return None
        return sum(languages.count_words(text) if isinstance(text, str) else len(text) for text in texts)

    def slices(self, row: Row, task: Task) -> Mapping[str, str]:
        """Return kind → slice of a test row, besides length and phenomenon. Each slice gets its own score."""
        return {}

    def classes(
        self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task
    ) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
        """Return kind → class → its scores, if the metric is one over classes (see `harness.metrics.counts`).

        `rows` counts the references of the class, `score` (0-100) ranks models on it; other keys are as the metric
        calls them.
        """
        return {}

    def kinds(self, row: Row) -> Iterable[str]:
        """Return what a check counts in a row: its class, the types of its entities; by default its `stratum`."""
        stratum = self.stratum(row)
        return () if stratum is None else (str(stratum),)

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        """Return findings of this family; lengths, duplicates, labels and characters are checked for all families."""
        return ()

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """Return how the family would read a data set it has never seen; None: it would not.

        Used for `family:path` and `bench task new`. By default a column is found by its own name or one of its
        `usual_names`.

        Args:
            rows: rows of the source, with the data set's own columns.
            given: column → what the files call it, for columns that the reader has renamed, such as the languages of
                parallel text.
        """
        columns = find_columns(rows[0], self.usual_names, (*self.columns, *self.optional_columns))
        return Proposal(columns) if set(self.columns) <= set(columns) else None

    def expected(self, row: Row, task: Task) -> Prediction:
        """Return the correct prediction for a row, the first of several; by default its reference.

        Records compare how often the same prediction is made with how often it would be correct.
        """
        return self.reference(row, task)

    @abstractmethod
    def example(self, row: Row, task: Task) -> dict[str, Any]:
        """Return the input of the head; the head's class lists the keys."""

    def prediction(self, output: Any, row: Row, task: Task) -> Prediction:
        """Turn the head's output for a row into the prediction that is saved and scored."""
        return output

    @abstractmethod
    def reference(self, row: Row, task: Task) -> Any:
        """Return what a prediction is compared with."""

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task) -> dict[str, Any]:
        """Return metric name → value, each on its library's own scale."""

    def additive(self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task) -> Additive | None:
        """Return the metric as a function of sums over rows (see `harness.metrics.additive`), which makes tests fast.

        None: it is no such function, or unknown; tests then call `score` for every resample.
        """
        return None

    @abstractmethod
    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[Prediction]:
        """Return predictions that need no model (majority class, no entity, a copy…), which every model must beat."""


def _as_yaml(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value
