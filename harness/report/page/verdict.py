"""What the page says first: of each task which model to fine-tune, and one line over all."""

from __future__ import annotations

from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import View
from harness.report.verdict import verdict as verdict_of_verdict
from harness.report.verdict_lines import AHEAD, BASELINE, FAILED, FIRST, TIE, TaskVerdict

# How sure an outcome is, in a word or two beside the task's name.
SURE = {FIRST: "proven", AHEAD: "not proven", TIE: "tie", BASELINE: "baseline", FAILED: "failed"}


def verdict(view: View) -> Part | None:
    """The line over all tasks, and a card for each task."""
    if not view.board.columns:
        return None
    told = verdict_of_verdict(view.board)
    over = tag("p", told.overall.line, class_="lead") if told.overall else None
    return Part(join(over, tag("ul", [_card(one) for one in told.tasks], class_="cards")))


def _card(one: TaskVerdict) -> Html:
    name = tag("h3", one.task, " ", tag("span", SURE[one.outcome], class_="sure"))
    return tag("li", name, tag("p", one.line.removeprefix(f"{one.task}: ")), class_=f"card {one.outcome}")
