"""Objects that print as text in a terminal and as a table in a notebook: leaderboards, comparisons, recommendations."""

from __future__ import annotations

import html
import io
import shutil
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError, unknown
from harness.files import write_text
from harness.store import Store

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

    from harness.report.board import Board
    from harness.report.model_choice import ModelChoice
    from harness.stats.row_comparison import TaskComparison

NARROWEST, WIDEST = 80, 200  # limits of the width of text, in columns


class Displayable(ABC):
    """Something that a terminal shows as text and a notebook as HTML."""

    @abstractmethod
    def frame(self) -> pandas.DataFrame:
        """Return the content as a pandas data frame."""

    @abstractmethod
    def renderable(self, width: int) -> RenderableType:
        """Return what a terminal of `width` columns shows."""

    def _sentences(self) -> list[str]:
        """Return the lines above the table in a notebook."""
        return []

    def __str__(self) -> str:
        from harness.safe_text import console

        width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
        screen = console(file=io.StringIO(), width=width, highlight=False, color_system=None, force_jupyter=False)
        screen.print(self.renderable(width))
        lines = (line.rstrip() for line in screen.file.getvalue().splitlines())
        return "\n".join(lines).rstrip()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in self._sentences())
        return paragraphs + self.frame().to_html(index=False, na_rep="", float_format=lambda value: f"{value:.4g}")


@dataclass(frozen=True, repr=False)
class Leaderboard(Displayable):
    """A leaderboard, models × tasks, with its verdict.

    Attributes:
        board: its data (`harness.report.board`).
        store: the results.
    """

    board: Board
    store: Store

    @property
    def verdict(self) -> list[str]:
        """Which model to fine-tune: a sentence for each task, and one for all tasks."""
        from harness.report.verdict import verdict

        return verdict(self.board).lines()

    def frame(self) -> pandas.DataFrame:
        """Return one row for each model, method and task: mean score (0-100), its 95 % interval, and costs."""
        import pandas

        from harness.report.formats import FORMATS

        return pandas.read_csv(io.StringIO(FORMATS["csv"](self.board)))

    def to_text(self, form: str = "md") -> str:
        """Return the board as `md`, `json`, `csv`, `slices` (CSV), `latex` or `svg`; for a page of HTML use `save`.

        Raises:
            BenchError: the format is unknown.
        """
        from harness.report.board_files import HTML
        from harness.report.formats import FORMATS

        if form == HTML:
            raise BenchError('format html is a page that links to records; write it with save("page.html", "html")')
        if form not in FORMATS:
            raise unknown("format", form, [*FORMATS, HTML])
        return FORMATS[form](self.board)

    def save(self, path: str | PathLike[str], form: str = "md") -> Path:
        """Write the board to a file; `html` is a page about all cells of the results folder.

        Raises:
            BenchError: the format is unknown, or the file cannot be written.
        """
        from harness.report.board_files import HTML, page

        file = Path(fspath(path))
        text = page(self.store, file, 500) if form == HTML else self.to_text(form)
        try:
            write_text(file, text)
        except OSError as error:
            raise BenchError(
                f"{file}: cannot be written: {error.strerror}; name a file in a folder that can be written"
            ) from None
        return file

    def renderable(self, width: int) -> RenderableType:
        from harness.report.terminal import final_table

        return final_table(self.board)

    def _repr_html_(self) -> str:
        from harness.report.terminal import notebook_table

        return notebook_table(self.board)


@dataclass(frozen=True, repr=False)
class Comparison(Displayable):
    """A comparison of two rows of the board, task by task.

    Attributes:
        ours: one row.
        theirs: the other row.
        tasks: the result on each task (`harness.stats.row_comparison.TaskComparison`).
        notes: the tasks on which only one of the two has a score.
        store: the results.
    """

    ours: str
    theirs: str
    tasks: list[TaskComparison]
    notes: list[str]
    store: Store

    def facts(self) -> list[dict[str, Any]]:
        """Return the comparison as plain values, for JSON."""
        return [{**asdict(row), "verdict": row.verdict} for row in self.tasks]

    def frame(self) -> pandas.DataFrame:
        """Return one row for each task: means, difference with its 95 % interval, p (Holm), and which is better."""
        import pandas

        names = {1: self.ours, -1: self.theirs, 0: ""}
        return pandas.DataFrame(
            {
                "task": row.task, "metric": row.metric, self.ours: row.ours, self.theirs: row.theirs,
                "difference": row.difference.value, "low": row.difference.low, "high": row.difference.high,
                "p": row.p, "better": names[row.verdict],
            }
            for row in self.tasks
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        from harness.report.comparison import summary

        return [*self.notes, *summary(self.ours, self.theirs, self.tasks)]

    def renderable(self, width: int) -> RenderableType:
        from harness.report.comparison import comparison_table

        return comparison_table(self.ours, self.theirs, self.tasks, width)


@dataclass(frozen=True, repr=False)
class Recommendation(Displayable):
    """The model to fine-tune under some limits, with the evidence.

    Attributes:
        choice: the candidates and how they were ranked (`harness.report.model_choice.ModelChoice`).
    """

    choice: ModelChoice

    @property
    def model(self) -> str | None:
        """The recommended row; None if nothing can be recommended or a baseline is the best."""
        best = self.choice.best.row
        return None if best.is_baseline or not self.choice.decided else best.title

    @property
    def advice(self) -> list[str]:
        """The recommendation in sentences."""
        from harness.report.advice import advice

        return advice(self.choice)

    def facts(self) -> dict[str, Any]:
        """Return the recommendation as plain values, for JSON."""
        from harness.report.advice import facts

        return facts(self.choice)

    def frame(self) -> pandas.DataFrame:
        """Return one row for each model: average score (0-100), parameters, costs, and why it is recommended or not."""
        import pandas

        from harness.report.advice import remark

        return pandas.DataFrame(
            {
                "model": candidate.row.title, "average": candidate.average, "parameters": candidate.parameters,
                "train_seconds": candidate.train_seconds, "peak_memory_bytes": candidate.memory,
                "remark": remark(self.choice, candidate),
            }
            for candidate in self.choice.candidates
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        return self.advice

    def renderable(self, width: int) -> RenderableType:
        from harness.report.advice import advice_table

        return advice_table(self.choice)
