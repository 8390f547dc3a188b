"""The sections that only tell: what pre-training is worth, tasks, failed cells, environments."""

from __future__ import annotations

from collections.abc import Mapping

from harness.grouping.recipe_variants import search_sentence
from harness.report import board_text as text
from harness.report.board_columns import BoardColumn, trained_on
from harness.report.markdown import EMPTY
from harness.report.page.markup import Html, join, tag
from harness.report.page.section import Part
from harness.report.page.slices import table
from harness.report.page.view import View
from harness.report.page.widgets import box


def empty(view: View) -> Part | None:
    """What there is to do where there are no results."""
    return None if view.board.rows else Part(tag("p", EMPTY.replace("`", "")))


def gains(view: View) -> Part | None:
    """Points that pretrained weights add to random ones."""
    board = view.board
    if not board.gains:
        return None
    titles = [column.title for column in board.columns if any(gain.task == column.title for gain in board.gains)]
    found = {(gain.model, gain.task): gain for gain in board.gains}
    rows = [row for row in board.rows if row.method == "full" and any((row.model, title) in found for title in titles)]
    lines = [[found.get((row.model, title)) for title in titles] for row in rows]
    values = [[gain.mean if gain else None for gain in line] for line in lines]
    texts = [[text.signed(gain.mean) + text.spread(gain.sd) if gain else text.NONE for gain in line] for line in lines]
    said = (
        "Points by which full (pretrained weights) beats scratch (random weights of the same architecture): the mean of the "
        "differences seed by seed, ± their sample standard deviation."
    )
    made = table("What pre-training is worth", "full − scratch", [[t, "points"] for t in titles], rows, values, texts)
    return Part(join(tag("p", said), made))


def tasks(view: View) -> Part | None:
    """Where each column's numbers come from."""
    found = [
        tag("details", tag("summary", column.title, tag("span", f" {column.family}", class_="note")), _facts(column))
        for column in view.board.columns
    ]
    return Part(tag("div", found, class_="folds")) if found else None


def _facts(column: BoardColumn) -> Html:
    revision = f", revision {column.revision}" if column.revision else ""
    return pairs(
        {
            "metric": f"{column.metric or text.NONE} (as a score of 0–100)",
            "data": f"{column.source or text.NONE}{revision}; version {column.version}, "
            f"fingerprint {text.short(column.fingerprint)}",
            "rows": _counts(column.rows),
            "splits": column.split_rule or "",
            "subset of": _counts(column.rows_without_limit),
            "trained on": trained_on(column),
            "test rows cut to fit": ", ".join(f"{model} {share:.1%}" for model, share in column.truncated.items()),
            "warnings about the data": "; ".join(column.warnings),
            "seeds": ", ".join(map(str, column.seeds)),
            "recipe": text.recipe(column.recipe),
            "search": search_sentence(column.searches, text.duration),
            "metric settings": "; ".join(f"{name} {value}" for name, value in column.settings.items()),
        }
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{split} {rows:,}" for split, rows in counts.items())


def pairs(facts: Mapping[str, str]) -> Html:
    """Names and what they stand for, where there is something."""
    return tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in facts.items() if value])


def failures(view: View) -> Part | None:
    """The cells that failed, with their errors."""
    found = view.board.failures
    if not found:
        return None
    rows = [
        tag("tr", tag("th", tag("a", one.id, href=view.address(one.id)), scope="row"), tag("td", one.type), tag("td", one.message))
        for one in found
    ]  # fmt: skip
    head = tag("thead", tag("tr", [tag("th", name, scope="col") for name in ("cell", "error", "message")]))
    return Part(box("Table: failed cells", tag("table", head, tag("tbody", rows), class_="plain")))


def environments(view: View) -> Part | None:
    """Devices and versions."""
    found = view.board.environments
    lines = [tag("li", f"{text.environment(one.facts)} ({one.cells} cells)") for one in found]
    return Part(tag("ul", lines)) if lines else None
