"""HTML from Python: every text is escaped unless it was made here, so that a name in a record can never become a tag."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from harness.shown import visible
from harness.strict_json import dumps

VOID = frozenset({"input", "br", "meta"})


class Html(str):
    """Text that is HTML already."""


Child = str | int | None | Iterable[Any]


def tag(name: str, /, *children: Child, **attributes: Any) -> Html:
    """An element. `class_`, `for_` and `data_x` become `class`, `for` and `data-x`.

    Args:
        name: of the element.
        children: escaped unless `Html`; lists are laid out; None is nothing.
        attributes: True is an attribute without a value; None and False are left out.
    """
    told = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{html.escape(visible(str(value)))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Fragments one after the other."""
    parts = []
    for child in children:
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, str | int):
            parts.append(html.escape(visible(str(child))))
        elif child is not None:
            parts.append(join(*child))
    return Html("".join(parts))


def data_block(name: str, data: Any) -> Html:
    """JSON that the page's script reads; nothing in it can end the element or begin another one.

    NaN and infinity, which records may hold and JSON does not know, become null.
    """
    text = dumps(data, separators=(",", ":"))
    for letter in "<>&\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="data-{html.escape(name)}">{text}</script>')


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
