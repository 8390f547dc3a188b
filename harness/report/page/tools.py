"""What stands above the main table: filters and the heat map."""

from __future__ import annotations

from harness.report.board import Board
from harness.report.page.heat import STEPS
from harness.report.page.markup import Html, tag
from harness.report.page.widgets import field


def tools(board: Board, rows: int, folded: int = 0) -> Html:
    """Filters, the switches of the heat map and of baselines, and the scale of colours, of no use without JavaScript.

    Args:
        rows: of the table.
        folded: those of them, baselines, that the row `best baseline` stands for.
    """
    families = sorted({column.family for column in board.columns})
    tasks = [
        tag("option", "all tasks", value=""),
        tag("optgroup", [tag("option", name, value=f"family:{name}") for name in families], label="families"),
        tag("optgroup", [tag("option", c.title, value=f"task:{c.title}") for c in board.columns], label="tasks"),
    ]
    limit = {"type": "number", "min": 0, "step": "any", "inputmode": "decimal"}
    found = [
        field("filter-search", "Model", "input", type="search", autocomplete="off"),
        field("filter-tasks", "Tasks", body=tasks),
        _choice("method", "Method", {row.method for row in board.rows}),
        _choice("architecture", "Architecture", {row.architecture for row in board.rows if row.architecture}),
        field("filter-parameters", "Million parameters at most", "input", **limit),
    ]
    buttons = [
        tag("button", "Heat map", type="button", id="heat", aria_pressed="false"),
        tag("button", "Each baseline", type="button", id="baselines", aria_pressed="false") if folded else None,
        tag("button", "Reset", type="reset"),
        tag("output", f"{rows} of {rows} rows", id="shown", aria_live="polite"),
    ]
    scale = tag(
        "p", "low ", [tag("span", data_heat=number) for number in range(STEPS)], " high, each task on its own scale",
        class_="scale", id="scale", hidden=True,
    )  # fmt: skip
    form = tag("form", found, tag("div", buttons, class_="buttons"), id="filters", aria_label="Filter the table")
    hint = tag("p", "Press a heading to sort, a number to see its records.", class_="note")
    return tag("div", form, scale, hint, class_="tools needs-script")


def _choice(name: str, label: str, values: set[str]) -> Html:
    options = [tag("option", "all", value=""), *(tag("option", value, value=value) for value in sorted(values))]
    return field(f"filter-{name}", label, body=options)
