"""The top of the page: what it is, how it was made, and how to read it."""

from __future__ import annotations

import shlex

from harness.report import text
from harness.report.board import Board
from harness.report.page.markup import Html, join, tag
from harness.report.page.view import View


def head(view: View) -> Html:
    """Title, figures, commands and legend."""
    board = view.board
    facts = {
        "suite": ", ".join(board.suites) or text.NONE,
        "run": _when(board.dates),
        "cells": f"{board.cells:,}",
        "failed": str(len(board.failures)),
        "models": str(len(board.rows)),
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
        tag("details", tag("summary", "How to read this page"), _legend(board), open=True) if board.rows else None,
        tag("details", tag("summary", "How to reproduce it"), made),
    )  # fmt: skip


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


def _legend(board: Board) -> Html:
    """What stands in a cell of the table, the marks that are used, and notes on what had to be kept apart."""
    entries = [entry for row in board.rows for entry in row.entries.values()]
    lines = [
        "The large number is the mean over seeds, groups and marks stand before it. Bold: the best of its column, ties to two "
        "digits included. –: no result."
    ]
    if any(entry.standing for entry in entries):
        lines.append("Below it: the 95 % interval of the mean, over test rows and seeds.")
    if any(entry.sd is not None and not entry.standing for entry in entries):
        lines.append("±: sample standard deviation over the seeds, where there is no interval.")
    if len(board.columns) > 1:
        lines.append("The average needs a score in every column.")
    lines += [f"{line}." for line in text.legend(board)]
    lines += [f"Note: {note}" for note in board.notes]
    return tag("ul", [tag("li", line) for line in lines])
