"""The page as one text: the template filled in, with styles and scripts inside and nothing to be fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files
from string import Template

from harness.report.page.head import head
from harness.report.page.markup import Html, data_block, join, tag
from harness.report.page.registry import SECTIONS
from harness.report.page.section import Section
from harness.report.page.view import View

STYLES = ("base.css", "table.css", "heat.css", "sections.css", "print.css")
FIRST, LAST = "core.js", "start.js"  # around the sections' own scripts


def page(view: View, sections: Iterable[Section] = SECTIONS) -> str:
    """The whole page; the same bytes for the same view."""
    made = [(section, part) for section in sections if (part := section.make(view))]
    scripts = dict.fromkeys([FIRST, *(name for section, _ in made for name in section.scripts), LAST])
    style = "\n".join(_asset(f"css/{name}") for name in STYLES)
    script = "\n".join(_asset(f"js/{name}") for name in scripts)
    suites = ", ".join(view.board.suites)
    return Template(_asset("page.html")).substitute(
        policy=_policy(style, script),
        title=join(f"Leaderboard {suites}".strip()),
        style=style,
        script=script,
        head=head(view),
        links=join([tag("li", tag("a", section.title, href=f"#{section.name}")) for section, _ in made]),
        sections=join([_framed(section, part.html) for section, part in made]),
        data=join([data_block(section.name, part.data) for section, part in made if part.data is not None]),
    )


def _framed(section: Section, body: Html) -> Html:
    heading = f"{section.name}-heading"
    half = "half" if section.half else None
    return tag(
        "section", tag("h2", section.title, id=heading), body, id=section.name, aria_labelledby=heading, class_=half
    )


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, and only what stands here runs: a Content-Security-Policy of the digests of style and script."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return (files("harness.report.page") / name).read_text(encoding="utf-8")
