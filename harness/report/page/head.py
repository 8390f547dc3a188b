"""The top of the page: what it is, and how it was made."""

from __future__ import annotations

import shlex

from harness.report import board_text as text
from harness.report.page.markup import Html, join, tag
from harness.report.page.view import View


def head(view: View) -> Html:
    """Title, figures and commands."""
    board = view.board
    facts = {
        "suite": ", ".join(board.suites) or text.NONE,
        "run": _when(board.dates),
        "cells": f"{board.cells:,}",
        "failed": str(len(board.failures)),
        "models": str(sum(not row.is_baseline for row in board.rows)),
        "baselines": str(sum(row.is_baseline for row in board.rows)),
        "tasks": str(len(board.columns)),
    }
    figures = tag(
        "dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts.items()], class_="figures"
    )
    commands = "\n".join(board.commands)
    again = [tag("p", "Make these records again:"), tag("pre", tag("code", commands), tabindex=0)] if commands else []
    name = view.store.name if "://" in view.store.name else view.store.root.resolve().name
    page = shlex.join(["bench", "leaderboard", "--results", name, "--format", "html"])
    made = [*again, tag("p", "Make this page from them:"), tag("pre", tag("code", page), tabindex=0)]
    return join(
        tag("h1", "Leaderboard"),
        tag("p", _introduction(), class_="lead"),
        figures,
        tag("details", tag("summary", "How to reproduce it"), made),
    )


def _introduction() -> str:
    return (
        "Every model is fine-tuned on every task under one protocol and scored once on the test split. Scores are each task's "
        "primary metric on a scale of 0–100; higher is better."
    )


def _when(dates: tuple[str, str] | None) -> str:
    if dates is None:
        return text.NONE
    first, last = dates
    return first if first == last else f"{first} to {last}"
