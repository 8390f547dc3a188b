"""A task: a family bound to a data set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from harness.data.columns import label_mapping
from harness.data.scalars import Notes, same_label
from harness.data.source import Source
from harness.data.values import label
from harness.safe_text import listed, short


@dataclass(frozen=True)
class Task:
    """One data set as a problem of one task family.

    Attributes:
        name: letters, digits, `-`, `_` and `.`.
        family: the registered name of the task family.
        source: where the rows come from.
        version: raised whenever the meaning of the task changes (splits, labels, columns).
        columns: the family's column names → the data set's (see `harness.data.columns`); empty: they are the same.
        labels: raw label → name, or the names in the order of the raw labels 0, 1, …; None: raw labels are the names.
        drop_labels: raw labels whose rows are left out and counted.
        options: options of the family, such as the languages of a translation.
        limit: the maximum number of rows of every split; the task is then called `name@limit`.
        reference: how a command refers to the task if its name is not enough: `family:path`, or a task file.
        chosen: the columns that a person chose for `family:path` with `--column`.
    """

    name: str
    family: str
    source: Source
    version: int = 1
    columns: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] | tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    description: str = ""
    drop_labels: tuple[str, ...] = ()
    reference: str = field(default="", compare=False)
    chosen: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Task:
        """Load the task of a task file (`.yaml`).

        Raises:
            BenchError: one line for each mistake in the file.

        Example:
            >>> task = Task.from_file("airline.yaml")  # doctest: +SKIP
        """
        from harness.planning.taskfile import load_task

        return replace(load_task(Path(path)), reference=fspath(path))

    @classmethod
    def from_data(cls, data: Any, family: str, **options: Any) -> Task:
        """Make a task from rows in memory or from data files; see `harness.planning.from_data.task_from_data`.

        Args:
            data: a pandas data frame, a list of dictionaries, a `datasets.Dataset` or `DatasetDict`, a mapping of split
                to any of these, or the path of a file or folder.
            family: the task family, such as `sentiment`.
            options: `name`, `columns`, `labels`, `drop_labels`, `options` as in task files, and `folder`, where rows
                are written; any other keyword is a column: `text="tweet"`.

        Raises:
            BenchError: no such family or column, or rows that cannot be used.

        Example:
            >>> rows = [{"tweet": "so good", "mood": "pos"}, {"tweet": "so bad", "mood": "neg"}]
            >>> Task.from_data(rows, "sentiment", name="tweets", text="tweet", label="mood").name
            'tweets'
        """
        from harness.planning.from_data import task_from_data

        return task_from_data(data, family, **options)

    @classmethod
    def from_frame(cls, frame: Any, family: str, **options: Any) -> Task:
        """Make a task from a pandas data frame: `Task.from_frame(df, family="sentiment", text="tweet", label="mood")`."""
        return cls.from_data(frame, family, **options)

    @property
    def title(self) -> str:
        """The name on every board, with the limit of a subset."""
        return f"{self.name}@{self.limit}" if self.limit else self.name

    @cached_property
    def _label_names(self) -> dict[str, str] | None:
        """Declared raw label → name."""
        return label_mapping(self.labels) if self.labels else None

    @property
    def label_order(self) -> list[str]:
        """The declared label names in their order; empty if none are declared."""
        return list(dict.fromkeys(self._label_names.values())) if self._label_names else []

    @cached_property
    def _label_spellings(self) -> dict[str, str]:
        """Normalised spelling → declared raw label; without those that several raw labels share."""
        spellings: dict[str, list[str]] = {}
        for raw in self._label_names or ():
            spellings.setdefault(same_label(raw), []).append(raw)
        return {spelling: raws[0] for spelling, raws in spellings.items() if len(raws) == 1}

    @cached_property
    def _label_cache(self) -> dict[str, str]:
        """Raw label → name, for the raw labels looked up so far."""
        return {}

    def label_name(self, raw: Any) -> str:
        """Return the name of a raw label. A declared 1 is also 1.0, and a declared true is also True.

        Raises:
            ValueError: an empty label, several labels, or a label that the task does not declare.
        """
        if type(raw) is str and raw in self._label_cache:
            return self._label_cache[raw]
        name = self._find_label_name(label(raw, Notes()))
        if type(raw) is str:
            self._label_cache[raw] = name
        return name

    def _find_label_name(self, text: str) -> str:
        if not text:
            raise ValueError(
                'no label; leave an unlabelled split out, or drop the row, in a task file with drop_labels: [""]'
            )
        if self._label_names is None:
            return text
        if text not in self._label_names:
            text = self._label_spellings.get(same_label(text), text)
        if text not in self._label_names:
            raise ValueError(
                f"label {short(text)!r} is not among the task's labels: {listed(self._label_names, 30)}; add it to `labels`, or leave "
                f"its rows out with drop_labels: [{json.dumps(short(text), ensure_ascii=False)}]"
            )
        return self._label_names[text]

    def limited(self, rows: int | None) -> Task:
        """Return the task with at most `rows` rows of every split (None: no change)."""
        return replace(self, limit=min(rows, self.limit or rows)) if rows else self

    def identity(self) -> dict[str, Any]:
        """Return everything that decides which rows are used and what they mean, except the rows themselves."""
        return {
            "name": self.name,
            "family": self.family,
            "version": self.version,
            "columns": dict(self.columns),
            "labels": dict(self.labels) if isinstance(self.labels, Mapping) else self.labels,
            "options": dict(self.options),
            "limit": self.limit,
            **({"drop_labels": sorted(self.drop_labels)} if self.drop_labels else {}),
        }
