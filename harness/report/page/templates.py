"""The HTML templates of the page. Every value is escaped unless it is `Markup`, so no text of a record can become a tag."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.files import dump_json
from harness.safe_text import visible

# Characters that end a script element, or that change the direction of text.
UNSAFE_IN_SCRIPT = "<>&\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def fill(template: str, /, **values: Any) -> Markup:
    """A file of `templates/` filled with these values, as HTML."""
    return Markup(_environment().get_template(template).render(values))


def data_block(data: Any) -> Markup:
    """JSON for a script element; nothing in it can end the element.

    NaN and infinity, which JSON does not have, become null.
    """
    text = dump_json(data, separators=(",", ":"))
    for letter in UNSAFE_IN_SCRIPT:
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("harness.report.page"),
        autoescape=True,
        finalize=_printable,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters["data_block"] = data_block
    return made


def _printable(value: Any) -> Any:
    """Control characters and marks of direction are made visible; None is empty."""
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
