"""Learning curves: a chart and a table for each task, and who overtakes whom."""

from __future__ import annotations

from harness.report import board_text as text
from harness.report.curve_text import curve_lines, curves_introduction, point_text, size_headings
from harness.report.curves import Curve
from harness.report.page.curve_chart import chart, drawable
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import View
from harness.report.page.widgets import box

OPEN = 3  # tasks that are unfolded at first: each point of a chart is a stop of the Tab key


def curves(view: View) -> Part | None:
    """All tasks that were trained on several numbers of rows, or nothing where there are none."""
    found = view.board.curves
    if not found:
        return None
    parts = [
        tag("details", tag("summary", one.task, tag("span", f" {one.metric or text.NONE}", class_="note")), _task(one, number), open=number < OPEN)
        for number, one in enumerate(found)
    ]  # fmt: skip
    how = "Point at a mark, or go to it with the Tab key, to read it. An interval that goes beyond a chart ends at its edge."
    return Part(join(tag("p", curves_introduction(view.board)), tag("p", how, class_="note"), parts))


def _task(curve: Curve, number: int) -> Html:
    picture = box(f"Chart: learning curves of {curve.task}", tag("div", chart(curve, number), class_="chart curves"))
    lines = [tag("li", line) for line in curve_lines(curve)]
    told = tag("div", tag("ul", lines) if lines else None, _table(curve))
    return tag("div", picture if drawable(curve) else None, told, class_="beside")


def _table(curve: Curve) -> Html:
    head = tag("tr", [tag("th", name, scope="col") for name in ("model", *size_headings(curve))])
    rows = [_row(line.title, [point_text(point) for point in line.points]) for line in curve.lines]
    foot = _row("trivial answer", [text.score(size.trivial) for size in curve.sizes])
    caption = tag("caption", f"Learning curves of {curve.task}", class_="hidden")
    body = (tag("thead", head), tag("tbody", rows), tag("tfoot", foot))
    return box(f"Table: learning curves of {curve.task}", tag("table", caption, *body))


def _row(name: str, cells: list[str]) -> Html:
    return tag("tr", tag("th", name, scope="row"), [tag("td", told, class_="number") for told in cells])
