"""What results are made into: a board, a comparison, a recommendation.

What prints as text in a terminal shows as a table in a notebook; `frame()` gives the same as pandas.
"""

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

NARROW, WIDE = 80, 200  # columns that text is made for, at least and at most


class Displayed(ABC):
    """Something with a text for terminals and HTML for notebooks."""

    @abstractmethod
    def frame(self) -> pandas.DataFrame:
        """The same as a pandas data frame."""

    @abstractmethod
    def picture(self, width: int) -> RenderableType:
        """What a terminal of that many columns shows."""

    def _sentences(self) -> list[str]:
        """What stands above the table in a notebook."""
        return []

    def __str__(self) -> str:
        from harness.safe_text import console

        width = min(max(shutil.get_terminal_size().columns, NARROW), WIDE)
        screen = console(file=io.StringIO(), width=width, highlight=False, color_system=None, force_jupyter=False)
        screen.print(self.picture(width))
        lines = (line.rstrip() for line in screen.file.getvalue().splitlines())
        return "\n".join(lines).rstrip()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self._sentences())
        return said + self.frame().to_html(index=False, na_rep="", float_format=lambda value: f"{value:.4g}")


@dataclass(frozen=True, repr=False)
class Leaderboard(Displayed):
    """Models × tasks, with the verdict above it.

    Attributes:
        board: the board as data (`harness.report.board`).
        store: the results.
    """

    board: Board
    store: Store

    @property
    def verdict(self) -> list[str]:
        """Which model to fine-tune: a sentence for each task, and one over all tasks."""
        from harness.report.verdict import verdict

        return verdict(self.board).lines()

    def frame(self) -> pandas.DataFrame:
        """One row for each model, method and task: mean score (0-100) over the seeds, its 95 % interval, and costs."""
        import pandas

        from harness.report.formats import FORMATS

        return pandas.read_csv(io.StringIO(FORMATS["csv"](self.board)))

    def to_text(self, form: str = "md") -> str:
        """The board as `md`, `json`, `csv`, `slices` (CSV), `latex` or `svg`; a page of HTML is a file (`save`).

        Raises:
            BenchError: another format.
        """
        from harness.report.board_files import HTML
        from harness.report.formats import FORMATS

        if form == HTML:
            raise BenchError('format html is a page that links to records; write it with save("page.html", "html")')
        if form not in FORMATS:
            raise unknown("format", form, [*FORMATS, HTML])
        return FORMATS[form](self.board)

    def save(self, path: str | PathLike[str], form: str = "md") -> Path:
        """Write the board to a file; `html` is a page with all that is known of the results folder's cells.

        Raises:
            BenchError: another format, or a file that cannot be written.
        """
        from harness.report.board_files import HTML, page

        file = Path(fspath(path))
        text = page(self.store, file, 500) if form == HTML else self.to_text(form)
        try:
            write_text(file, text)
        except OSError as error:
            raise BenchError(f"{file}: cannot be written: {error.strerror}; name a file in a folder that can be written") from None
        return file

    def picture(self, width: int) -> RenderableType:
        from harness.report.terminal import final_table

        return final_table(self.board)

    def _repr_html_(self) -> str:
        from harness.report.terminal import notebook_table

        return notebook_table(self.board)


@dataclass(frozen=True, repr=False)
class Comparison(Displayed):
    """Two rows of the board, task by task.

    Attributes:
        ours, theirs: the rows.
        tasks: what was found on each task (`harness.stats.row_comparison.TaskComparison`).
        notes: which tasks only one of the two has a score on.
        store: the results.
    """

    ours: str
    theirs: str
    tasks: list[TaskComparison]
    notes: list[str]
    store: Store

    def facts(self) -> list[dict[str, Any]]:
        """For JSON."""
        return [{**asdict(row), "verdict": row.verdict} for row in self.tasks]

    def frame(self) -> pandas.DataFrame:
        """One row a task: both means, their difference with its 95 % interval, p (Holm), and which is better, if any."""
        import pandas

        names = {1: self.ours, -1: self.theirs, 0: ""}
        return pandas.DataFrame(
            {
                "task": one.task, "metric": one.metric, self.ours: one.ours, self.theirs: one.theirs,
                "difference": one.difference.value, "low": one.difference.low, "high": one.difference.high,
                "p": one.p, "better": names[one.verdict],
            }
            for one in self.tasks
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        from harness.report.comparison import summary

        return [*self.notes, *summary(self.ours, self.theirs, self.tasks)]

    def picture(self, width: int) -> RenderableType:
        from harness.report.comparison import comparison_table

        return comparison_table(self.ours, self.theirs, self.tasks, width)


@dataclass(frozen=True, repr=False)
class Recommendation(Displayed):
    """Which model to fine-tune under some limits, and on what evidence.

    Attributes:
        choice: all that was weighed (`harness.report.model_choice.ModelChoice`).
    """

    choice: ModelChoice

    @property
    def model(self) -> str | None:
        """The row to take; None where none can be recommended, or a baseline is the best."""
        return None if self.choice.best.row.is_baseline or not self.choice.decided else self.choice.best.row.title

    @property
    def advice(self) -> list[str]:
        """The same in sentences."""
        from harness.report.advice import advice

        return advice(self.choice)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        from harness.report.advice import facts

        return facts(self.choice)

    def frame(self) -> pandas.DataFrame:
        """One row a model: average score (0-100), parameters, seconds of training, bytes, and why it is recommended or not."""
        import pandas

        from harness.report.advice import remark

        return pandas.DataFrame(
            {
                "model": one.row.title, "average": one.average, "parameters": one.parameters, "train_seconds": one.train_seconds,
                "peak_memory_bytes": one.memory, "remark": remark(self.choice, one),
            }
            for one in self.choice.candidates
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        return self.advice

    def picture(self, width: int) -> RenderableType:
        from harness.report.advice import advice_table

        return advice_table(self.choice)
