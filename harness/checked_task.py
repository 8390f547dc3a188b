"""Checks of tasks: what is in their data, what is wrong with them, and how long they are in a model's tokens."""

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
from harness.result_views import Displayable
from harness.task import Task

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

    from harness.check.lengths import Tokens


@dataclass(frozen=True, repr=False)
class CheckedTask(Displayable):
    """A task and the findings about its data.

    Attributes:
        task: the task.
        report: rows, classes, lengths and findings.
        tokens: lengths in a model's tokens; None if no model was named.
        readable: whether the data can be used at all.
    """

    task: Task
    report: Report
    tokens: Tokens | None
    readable: bool

    @property
    def errors(self) -> list[str]:
        """The findings that make training on the task impossible."""
        return self._messages(ERROR)

    @property
    def warnings(self) -> list[str]:
        """The findings that may change what a score means."""
        return self._messages(WARNING)

    def facts(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return {**asdict(self.report), "tokens": asdict(self.tokens) if self.tokens else None}

    def frame(self) -> pandas.DataFrame:
        """Return one row for each finding, errors first."""
        import pandas

        findings = [asdict(finding) for finding in self.report.findings]
        return pandas.DataFrame(findings, columns=["level", "code", "message"])

    def _messages(self, level: str) -> list[str]:
        return [
            finding.message if finding.code == UNUSABLE else f"{self.report.task}: {finding.message}"
            for finding in self.report.findings
            if finding.level == level
        ]

    def _sentences(self) -> list[str]:
        rows = ", ".join(f"{split} {count:,}" for split, count in self.report.rows.items())
        return [f"{self.report.task} ({self.report.family}): {rows or 'no rows'}"]

    def renderable(self, width: int) -> RenderableType:
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
        BenchError: there is no such task or model, or `max_length` is given without a model.
    """
    if max_length is not None and model is None:
        raise BenchError("--max-length needs a tokeniser: name a model with --model")
    request = read_request("all", list(references), suite=suite, limit=limit, columns=columns)
    objects = {reference.name for reference in references if isinstance(reference, Task)}
    checked = []
    for name, task in find_tasks(request.tasks, suite_for(suite, request.tasks), limit, request.columns).items():
        report, data = examine(task, registry.family(task.family))
        tokens = None
        if model and data:
            model_request = Request(
                [model], [task if task.name in objects else name], suite=suite, limit=limit, columns=request.columns,
                settings={} if max_length is None else {"max_length": str(max_length)},
            )  # fmt: skip
            tokens = _tokens(model_request, data.splits, model)
        checked.append(CheckedTask(task, report, tokens, data is not None))
    return checked


def _tokens(request: Request, splits: Mapping[str, Any], model: str) -> Tokens:
    from harness.check.lengths import measure_tokens

    (cell,) = make_plan(request).cells
    if cell.is_baseline:
        raise BenchError(f"--model {model}: is a baseline and has no tokeniser; name a model")
    return measure_tokens(cell, splits)
