"""Render the page as one HTML text that contains its styles, scripts and data, and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterable
from importlib.resources import files

from markupsafe import Markup

from harness.grouping.costs import NONE
from harness.report.page.charts import cost_chart, curves, training
from harness.report.page.prediction_sections import confusion, errors
from harness.report.page.score_table import score_table
from harness.report.page.table_sections import (
    empty,
    environments,
    failures,
    gains,
    overall,
    slices,
    tasks,
    types,
    verdict_cards,
)
from harness.report.page.view import Section, View, fill

# The sections in their order. To add one, add an entry here, a function, and a script if it needs one.
SECTIONS = (
    Section("empty", "No results", empty),
    Section("verdict", "Verdict", verdict_cards),
    Section("scores", "Scores", score_table, ("sort.js", "filter.js", "records.js")),
    Section("overall", "Over all tasks", overall),
    Section("training", "Training curves", training, ("plot.js", "training.js")),
    Section("curves", "Learning curves", curves),
    Section("cost", "Score against cost", cost_chart, ("plot.js", "chart.js")),
    Section("gains", "What pre-training is worth", gains, ("sort.js",)),
    Section("slices", "Scores by slice", slices, ("sort.js",)),
    Section("types", "Metrics by type", types, ("sort.js",)),
    Section("confusion", "Confusion matrices", confusion, ("confusion.js",)),
    Section("errors", "Error browser", errors, ("errors.js",)),
    Section("failures", "Failed cells", failures),
    Section("tasks", "Tasks", tasks, half=True),
    Section("environments", "Environment", environments, half=True),
)
STYLES = ("base.css", "table.css", "heat.css", "sections.css", "print.css")
FIRST, LAST = "core.js", "start.js"  # before and after the scripts of the sections


def page(view: View, sections: Iterable[Section] = SECTIONS) -> str:
    """Render the page. The same view gives the same bytes."""
    parts = [(section, part) for section in sections if (part := section.make(view))]
    scripts = dict.fromkeys([FIRST, *(name for section, _ in parts for name in section.scripts), LAST])
    style = "\n".join(_asset(f"css/{name}") for name in STYLES)
    script = "\n".join(_asset(f"js/{name}") for name in scripts)
    store = view.store
    folder = store.name if "://" in store.name else store.root.resolve().name
    return fill(
        "page.html",
        policy=_policy(style, script),
        title=f"Leaderboard {', '.join(view.board.suites)}".strip(),
        style=Markup(style),
        script=Markup(script),
        figures=_figures(view),
        commands="\n".join(view.board.commands),
        page_command=shlex.join(["bench", "leaderboard", "--results", folder, "--format", "html"]),
        sections=parts,
    ) + "\n"


def _figures(view: View) -> dict[str, str]:
    """Return the numbers at the top of the page."""
    board = view.board
    return {
        "suite": ", ".join(board.suites) or NONE,
        "run": " to ".join(dict.fromkeys(board.dates)) if board.dates else NONE,
        "cells": f"{board.cells:,}",
        "failed": str(len(board.failures)),
        "models": str(sum(not row.is_baseline for row in board.rows)),
        "baselines": str(sum(row.is_baseline for row in board.rows)),
        "tasks": str(len(board.columns)),
    }


def _policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows only this style and this script, and loads nothing."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return (files("harness.report.page") / name).read_text(encoding="utf-8")
