"""The section over all tasks: ranks, normalised scores, wins and groups, with the critical-difference diagram."""

from __future__ import annotations

from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.view import View
from harness.report.page.widgets import box
from harness.report.ranks_over_tasks import (
    diagram,
    figure_text,
    friedman_sentence,
    group_texts,
    over_tasks_introduction,
    ranked_title,
)
from harness.stats.over_tasks import Overall


def overall(view: View) -> Part | None:
    """How the rows stand over all tasks, or nothing where nobody can say."""
    found = view.board.overall
    if found is None:
        return None
    notes = [tag("li", note) for note in found.notes]
    notes += [tag("li", f"{one.title} is left out: no score on {', '.join(one.missing)}.") for one in found.left_out]
    said = tag("ul", notes) if notes else None
    if not found.rows:
        return Part(join(said)) if said else None
    test = tag("p", friedman_sentence(found.friedman, found)) if found.friedman else None
    picture = box("Critical-difference diagram", Html(diagram(view.board)))
    drawn = (
        "Average ranks, the best one left. A bar joins rows that cannot be told apart, and has a dot for each of them."
    )
    return Part(
        join(
            tag("p", over_tasks_introduction(found)),
            tag("div", tag("div", _table(found), test), tag("div", picture, tag("p", drawn)), class_="beside"),
            said,
        )
    )


def _table(found: Overall) -> Html:
    heads = ["model", "rank", "normalised", "wins", "group"]
    rows = [
        tag(
            "tr",
            tag("th", ranked_title(row), scope="row"),
            [tag("td", figure_text(figure), class_="number") for figure in (row.rank, row.score, row.wins)],
            tag("td", group, class_="number"),
        )
        for row, group in zip(found.rows, group_texts(found), strict=True)
    ]
    head = tag("thead", tag("tr", [tag("th", name, scope="col") for name in heads]))
    return box(
        "Over all tasks", tag("table", tag("caption", "Over all tasks", class_="hidden"), head, tag("tbody", rows))
    )
