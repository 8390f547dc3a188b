"""Training curves: validation score and loss in the course of each training, and the step whose weights were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.grouping.contenders import average
from harness.report.board_columns import BoardColumn
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import View
from harness.report.page.widgets import box, field, fields, numbered

Point = list[float | None]  # step, mean training loss since the last validation, validation score
AXES = (("share", "share of the training"), ("step", "step"))


def training(view: View) -> Part | None:
    """The histories of all records that have one; the script draws the task that is chosen."""
    found = [task for column in view.board.columns if (task := _task(view, column))]
    if not found:
        return None
    said = (
        "How each training went: the score on the validation split, and the training loss since the validation before. A strong "
        "line is a model's mean over its seeds, as far as all of them were trained; the faint ones are the seeds. The mark is "
        "the step whose weights were kept and tested. Press a model to make it stand out."
    )
    return Part(join(tag("p", said), _frame(found)), found)


def _task(view: View, column: BoardColumn) -> dict[str, Any] | None:
    models = []
    for row in view.rows_of(column):
        seeds = [seed for record in view.records(row, column) if (seed := _seed(record, view.training(record)))]
        if seeds:
            models.append(
                {
                    "title": row.title,
                    "architecture": row.architecture,
                    "steps": max(seed["steps"] for seed in seeds),
                    "seeds": seeds,
                    "mean": mean([seed["history"] for seed in seeds]),
                }
            )
    return {"title": column.title, "metric": column.metric or "score", "models": models} if models else None


def _seed(record: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any] | None:
    """One training; None for a record without a history, such as a baseline's."""
    history = [[line["step"], _round(line["loss"]), _round(line["score"])] for line in told.get("history") or ()]
    if not history:
        return None
    return {
        "seed": record["seed"],
        "steps": told.get("steps") or history[-1][0],
        "kept": told.get("best_step"),
        "score": _round(record["score"]),
        "history": history,
    }


def _round(value: float | None) -> float | None:
    """As many digits as a chart can show: the page has very many such numbers."""
    return None if value is None else float(f"{value:.4g}")


def mean(histories: Sequence[Sequence[Point]]) -> list[Point]:
    """The mean curve: at each step at which every one of the histories has a point."""
    by_step = [{point[0]: point for point in history} for history in histories]
    steps = [step for step in by_step[0] if all(step in one for one in by_step)]
    return [[step, *(_round(average(one[step][place] for one in by_step)) for place in (1, 2))] for step in steps]


def _frame(found: Sequence[Mapping[str, Any]]) -> Html:
    axes = [tag("option", title, value=name) for name, title in AXES]
    charts = [tag("div", id=f"training-{name}", class_="chart") for name in ("score", "loss")]
    table = box("Training curves as a table", id="training-table")
    return join(
        fields(field("training-task", "Task", body=numbered(found)), field("training-axis", "Against", body=axes)),
        tag("div", charts, id="training-charts", class_="beside needs-script"),
        tag("p", id="training-readout", class_="readout note needs-script"),
        tag(
            "div", id="training-models", class_="buttons needs-script", role="group", aria_label="Models that stand out"
        ),
        tag("details", tag("summary", "The kept steps as a table"), table, class_="needs-script"),
    )
