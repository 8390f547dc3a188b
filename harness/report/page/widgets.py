"""Pieces that several sections have: boxes that scroll, and labelled fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.page.markup import Child, Html, tag


def box(label: str, body: Child = None, id: str | None = None, tall: bool = False) -> Html:
    """What may be wider than the page and then scrolls by itself, with the keyboard too; `label` is what it is called aloud."""
    classes = "box tall" if tall else "box"
    return tag("div", body, id=id, class_=classes, tabindex=0, role="region", aria_label=label)


def field(name: str, label: str, control: str = "select", body: Child = None, **attributes: Any) -> Html:
    """A control with its label; `name` is its id."""
    return tag("div", tag("label", label, for_=name), tag(control, body, id=name, **attributes), class_="field")


def numbered(found: Sequence[Mapping[str, Any]]) -> list[Html]:
    """Options that are chosen by their place in the section's data."""
    return [tag("option", one["title"], value=number) for number, one in enumerate(found)]


def fields(*found: Child) -> Html:
    """Fields side by side, of no use without JavaScript."""
    return tag("div", found, class_="fields needs-script")
