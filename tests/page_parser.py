"""The page as elements, for tests: a small tree out of html.parser that insists on what is opened being closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        """The element and all within it, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """All of a tag with these attributes; `class_` and `data_x` stand for `class` and `data-x`."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            one for one in self if one.tag == tag and all(one.attributes.get(k) == value for k, value in wanted.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, len(found))
        return found[0]

    def id(self, name: str) -> Element:
        (found,) = [one for one in self if one.attributes.get("id") == name]
        return found

    def has(self, name: str) -> bool:
        return any(one.attributes.get("id") == name for one in self)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def data(self, name: str):
        """The JSON that a section's script reads."""
        return json.loads(self.id(f"data-{name}").text)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), f"<{tag}> has an attribute twice"
        element = Element(tag, dict(attributes))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parse(page: str) -> Element:
    """The page's tree.

    Raises:
        AssertionError: tags that do not match.
    """
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser.open == [parser.root], [one.tag for one in parser.open]
    return parser.root
