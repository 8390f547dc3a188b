"""The contract of a task family: the adapter between a data set's columns and a head.

A family is one class in one file. It never touches tensors: it turns rows into the examples that a head understands, and
the head's outputs into predictions, and names the metrics. Modules that define families are imported by the command line,
so they import torch, evaluate and the like inside functions only.
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
ANSWERS = ("label", "tags", "target", "answers")  # what heads call that which is to be found out

LANGUAGE = "language"  # what an option may be instead of one of a few values: the code of a language

READ = (str, list, tuple)  # types of what a model reads; a union would be made anew for every row

Row = dict[str, Any]
Prediction = Any  # whatever json.dumps accepts


@dataclass(frozen=True)
class Metric:
    """What ranks models on a task: a key of `TaskFamily.score`'s result, and its `scale`, which brings it to 0-100."""

    name: str
    scale: float

    def score(self, metrics: Mapping[str, Any]) -> float:
        """The score, in 0-100, of what `TaskFamily.score` gave."""
        return metrics[self.name] * self.scale


def key_of(texts: Mapping[str, str | Sequence[str]], inputs: Sequence[str]) -> tuple[Hashable, ...]:
    """`TaskFamily.key` of a row's `texts`, of those columns among them that are `inputs` (all, where none are named)."""
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
        name: the family's name in task files and on the command line.
        description: one line for `bench tasks`.
        version: raised when the same rows would give another score; part of every cell's identity.
        columns: required column → what it holds.
        optional_columns: the same for columns that a data set may have. `id`, `group` and `phenomenon` are always allowed.
        column_types: column → its type, a constant of `harness.data.values`. Whatever a data set holds there is brought to this type
            before `prepare` sees it, or refused with its row. A column without a type reaches `prepare` as the data set has it.
        usual_names: column → what data sets often call it, in lower case, the likeliest first.
        inputs: the columns that hold what a model reads; empty: all but `label`, `tags`, `target` and `answers`.
        options: option of a task file → what it does. Every family has the option `metric` as well.
        option_values: option → its valid values (texts, or True and False), or `LANGUAGE` for the code of one. An option that is not
            named here takes any value, and its family's `check_options` looks at it.
        head: `module:Class` of a `harness.heads.base.Head`, imported in the worker.
        primary_metric: the key of `score`'s result that ranks models on validation and is reported on test, unless a task
            names another one; whoever needs it asks `metric(task)`.
        scale: what the primary metric must be multiplied with to lie in 0–100.
        metrics: the other keys of `score`'s result that a task may name by `options: {metric: …}` → their scales.
        recipes: rules for the recipes of all its cells (see `harness.recipe_rules`); those by kind of model and a suite's come behind.
        passes: how many times as many epochs few rows need as those of a classifier (see `harness.recipe_rules`).
        architectures: those that the family can be solved with.
        needs_offsets: True where the head maps tokens back to the text and so needs a fast tokeniser.
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
    def known_options(self) -> dict[str, str]:
        """Option → what it does: the family's own, and `metric`."""
        names = ", ".join([self.primary_metric, *(name for name in self.metrics if name != self.primary_metric)])
        return {**self.options, "metric": f"what ranks models, by default the first of: {names}"}

    def option_fault(self, name: str, value: Any) -> str:
        """Why an option cannot have a value, and what it can have; empty: it can."""
        valid = self._option_values(name)
        if valid is None:
            return ""
        if valid == LANGUAGE:
            return languages.code_error(value)
        if any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in valid):
            return ""
        return str(unknown("value", short(str(value)), map(_written, valid)))

    def takes_truth(self, name: str) -> bool:
        """Whether `true` and `false` may be values of an option."""
        valid = self._option_values(name)
        return valid is None or (valid != LANGUAGE and any(isinstance(one, bool) for one in valid))

    def valid_option(self, name: str) -> str:
        """The valid values of an option, for messages; empty where they are not known."""
        valid = self._option_values(name)
        return "" if valid is None else "the code of a language" if valid == LANGUAGE else ", ".join(map(_written, valid))

    def _option_values(self, name: str) -> Sequence[str | bool] | str | None:
        if name == "metric":
            return tuple({self.primary_metric: self.scale, **self.metrics})
        return self.option_values.get(name)

    def metric(self, task: Task) -> Metric:
        """What ranks models on a task: the metric that its options name, else the primary one.

        Raises:
            BenchError: the option names none of the family's metrics.
        """
        valid = {self.primary_metric: self.scale, **self.metrics}
        name = task.options.get("metric") or self.primary_metric
        if name not in valid:
            raise unknown(f"metric of family {self.name}", name, valid, where=f"task {task.name!r}, options")
        return Metric(name, valid[name])

    def accept(self, task: Task) -> None:
        """Whether the family knows all options of a task, and their values make sense; asked before anything is read.

        Raises:
            BenchError: what is wrong with them, and the cure.
        """
        for option in task.options:
            if option not in self.known_options:
                raise unknown(f"option of family {self.name}", option, self.known_options, where=f"task {task.name!r}")
        self.metric(task)
        for option, value in task.options.items():
            if wrong := self.option_fault(option, value):
                raise BenchError(f"task {task.name!r}: options.{option}: {wrong}")
        self.check_options(task)

    def check_options(self, task: Task) -> None:  # noqa: B027 - most families have nothing to check
        """Whether the values of the family's own options make sense and what they need is installed; a part of `accept`.

        Raises:
            BenchError: what is wrong with them, and the cure.
        """

    def prepare(self, row: Row, task: Task) -> Row:
        """One row with the family's columns as heads and metrics want them.

        Args:
            row: its columns have the types of `column_types` already.

        Raises:
            ValueError: what is wrong with the row; the caller adds split, file and line.
        """
        return row

    def harmonise(self, rows: list[Row], task: Task, report: dict[str, Any]) -> list[Row]:
        """The prepared rows of one split, after a look at all of them: for what no row tells alone, such as a tagging scheme.

        Args:
            rows: they keep their order, and their number.
            report: what the reader found; may be added to.

        Raises:
            BenchError: what is wrong, with the place of the row (see `harness.data.place`).
        """
        return rows

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str] | None:
        """The names of the classes in a fixed order; None for a family without classes."""
        return None

    def stratum(self, row: Row) -> Hashable | None:
        """What a split made by us keeps the proportions of."""
        return None

    def texts(self, row: Row) -> dict[str, str | Sequence[str]]:
        """Column → text (or words) of all that a model reads or writes; a check measures it and looks for broken characters.

        By default the `inputs`. Rows with equal `inputs` count as duplicates.
        """
        return self._inputs(row)

    def key(self, row: Row) -> tuple[Hashable, ...]:
        """What a model reads of a row: rows with equal keys are the same to it. Empty for a row without text."""
        return key_of(self.texts(row), self.inputs)

    def _inputs(self, row: Row) -> dict[str, str | Sequence[str]]:
        names = self.inputs or [name for name in (*self.columns, *self.optional_columns) if name not in ANSWERS]
        found = {}
        for name in names:
            value = row.get(name)
            if isinstance(value, READ):
                found[name] = value
        return found

    def length(self, row: Row, task: Task) -> int | None:
        """The words that a model reads, for scores by length: those of the `inputs`; None: there are no such scores."""
        texts = self._inputs(row).values()
        return sum(languages.count_words(text) if isinstance(text, str) else len(text) for text in texts) if texts else None

    def slices(self, row: Row, task: Task) -> Mapping[str, str]:
        """Kind → the part that a test row belongs to, for scores of each part alone; length and phenomenon go without saying."""
        return {}

    def classes(
        self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task
    ) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
        """Kind → class → its scores, where the metric is one over classes (see `harness.metrics.counts`).

        `rows` counts how often the class is wanted, `score` (0-100) ranks models on it; other keys as the metric calls them.
        """
        return {}

    def kinds(self, row: Row) -> Iterable[str]:
        """What a check counts in a row: its class, the types of its entities; by default its `stratum`."""
        stratum = self.stratum(row)
        return () if stratum is None else (str(stratum),)

    def check(self, splits: Mapping[str, Sequence[Row]], task: Task) -> Iterable[Finding]:
        """What only this family can see in its data; lengths, duplicates, labels and characters are looked at for all."""
        return ()

    def recognise(self, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Proposal | None:
        """How the family would read a data set that it has never seen; None: not at all.

        It serves `family:path` and `bench task new`. By default the columns are those that have their own or their `usual_names`.

        Args:
            rows: as the source gives them, under the data set's own columns.
            given: column → what the files call it, where the reader has renamed it, such as the languages of parallel text.
        """
        columns = find_columns(rows[0], self.usual_names, (*self.columns, *self.optional_columns))
        return Proposal(columns) if set(self.columns) <= set(columns) else None

    def expected(self, row: Row, task: Task) -> Prediction:
        """The prediction that would be right for a row, the first where several would; by default its reference.

        Records compare how often one and the same prediction is given with how often it would be right.
        """
        return self.reference(row, task)

    @abstractmethod
    def example(self, row: Row, task: Task) -> dict[str, Any]:
        """What the head reads; its class says which keys."""

    def prediction(self, output: Any, row: Row, task: Task) -> Prediction:
        """The head's output for a row as it is saved and scored."""
        return output

    @abstractmethod
    def reference(self, row: Row, task: Task) -> Any:
        """What a prediction is compared with."""

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task) -> dict[str, Any]:
        """Metric name → value, each in its library's own scale."""

    def additive(self, predictions: Sequence[Prediction], references: Sequence[Any], task: Task) -> Additive | None:
        """The task's metric as a function of sums over rows (see `harness.metrics.additive`), which makes tests fast.

        None: it is no such function, or nobody has said which; tests then call `score` for every resample.
        """
        return None

    @abstractmethod
    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[Prediction]:
        """Predictions that need no model (majority class, no entity, a copy…): what every model must beat."""


def _written(value: str | bool) -> str:
    """As a task file has it."""
    return str(value).lower() if isinstance(value, bool) else value
