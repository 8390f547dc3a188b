"""A check of tasks: what is in their data, what is wrong with them, and what a model's tokeniser makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness import registry
from harness.check.report import UNUSABLE, Report, examine
from harness.errors import BenchError
from harness.finding import ERROR, WARNING
from harness.planning.plan import make_plan
from harness.planning.references import find_tasks
from harness.planning.request import Request, read_request
from harness.planning.suite import suite_for
from harness.result_views import Displayed
from harness.task import Task

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

    from harness.check.lengths import Tokens


@dataclass(frozen=True, repr=False)
class CheckedTask(Displayed):
    """What a check of one task has found in its data.

    Attributes:
        task: the task.
        report: rows, classes, lengths and findings.
        tokens: of a model, where one was named.
        readable: whether the data can be used at all.
    """

    task: Task
    report: Report
    tokens: Tokens | None
    readable: bool

    @property
    def errors(self) -> list[str]:
        """What keeps the task from being trained on."""
        return self._messages(ERROR)

    @property
    def warnings(self) -> list[str]:
        """What may change what a score means."""
        return self._messages(WARNING)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self.report), "tokens": asdict(self.tokens) if self.tokens else None}

    def frame(self) -> pandas.DataFrame:
        """One row a finding, errors first."""
        import pandas

        return pandas.DataFrame([asdict(one) for one in self.report.findings], columns=["level", "code", "message"])

    def _messages(self, level: str) -> list[str]:
        return [
            one.message if one.code == UNUSABLE else f"{self.report.task}: {one.message}" for one in self.report.findings if one.level == level
        ]

    def _sentences(self) -> list[str]:
        rows = ", ".join(f"{split} {count:,}" for split, count in self.report.rows.items())
        return [f"{self.report.task} ({self.report.family}): {rows or 'no rows'}"]

    def picture(self, width: int) -> RenderableType:
        from harness.report.check_table import check_table

        return check_table(self.report, self.tokens)


def check_tasks(
    references: Sequence[str | Task],
    model: str | None = None,
    max_length: int | None = None,
    columns: Mapping[str, Any] | Iterable[str] | None = None,
    suite: str | None = None,
    limit: int | None = None,
) -> list[CheckedTask]:
    """Check tasks; see `harness.check_task`.

    Raises:
        BenchError: no such task or model, or `max_length` without a model.
    """
    if max_length is not None and model is None:
        raise BenchError("--max-length needs a tokeniser: name a model with --model")
    request = read_request("all", list(references), suite=suite, limit=limit, columns=columns)
    objects = {one.name for one in references if isinstance(one, Task)}
    found = []
    for name, task in find_tasks(request.tasks, suite_for(suite, request.tasks), limit, request.columns).items():
        report, data = examine(task, registry.family(task.family))
        tokens = None
        if model and data:
            asked = Request(
                [model], [task if task.name in objects else name], suite=suite, limit=limit, columns=request.columns,
                settings={} if max_length is None else {"max_length": str(max_length)},
            )  # fmt: skip
            tokens = _tokens(asked, data.splits, model)
        found.append(CheckedTask(task, report, tokens, data is not None))
    return found


def _tokens(request: Request, splits: Mapping[str, Any], model: str) -> Tokens:
    from harness.check.lengths import measure_tokens

    (cell,) = make_plan(request).cells
    if cell.is_baseline:
        raise BenchError(f"--model {model}: is a baseline and has no tokeniser; name a model")
    return measure_tokens(cell, splits)
