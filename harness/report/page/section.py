"""What a section of the page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.report.page.markup import Html
from harness.report.page.view import View


@dataclass(frozen=True)
class Part:
    """A section's content.

    Attributes:
        html: below its heading; must say something without JavaScript too.
        data: for its script, as JSON; None where it needs none.
    """

    html: Html
    data: Any = None


@dataclass(frozen=True)
class Section:
    """An entry of `harness.report.page.registry`.

    Attributes:
        name: its anchor, and the name that its script asks for its data by; letters and hyphens.
        title: its heading.
        make: its content, or None where there is nothing to show.
        scripts: files of `js/` that bring it to life, in the page once however many sections name them.
        half: whether two such sections in a row stand side by side where the window is wide.
    """

    name: str
    title: str
    make: Callable[[View], Part | None]
    scripts: tuple[str, ...] = ()
    half: bool = False
