"""Read a YAML file as nodes with line numbers, within limits.

PyYAML's parser yields events; the nodes are built here, so that nothing grows beyond a limit before it is checked. An
alias repeats a node without copying it, but is counted as if it did.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import BenchError
from harness.safe_text import SHOWN, short

MOST_BYTES = 1024**2  # of a file
DEEPEST = 30  # levels of nested lists and mappings
MOST_NODES = 100_000  # values and keys, with the repetitions of aliases; every 64 characters of a long text count as one
LONGEST = 20_000  # characters of one value
DIGITS = 18  # of a number

ReportMistake = Callable[[int, str], None]  # called with the line and the message of a mistake
_TAG = "tag:yaml.org,2002:"
_TYPES = {"str", "int", "float", "bool", "null"}
_TRUE = ("yes", "true", "on")
_TOO_DEEP = f"more than {DEEPEST} lists and mappings inside of each other"


@dataclass(frozen=True)
class YamlNode:
    """A value of a YAML file.

    Attributes:
        kind: `map`, `list`, or the type of a scalar as YAML reads it: `str`, `int`, `float`, `bool`, `null`,
            `timestamp`.
        line: starts at 1; 0 if the content does not come from a file.
        text: a scalar as it is written.
        items: the nodes of a list, or the (key, value) pairs of a mapping.
        size: the number of nodes inside, see `MOST_NODES`.
    """

    kind: str
    line: int
    text: str = ""
    items: tuple[Any, ...] = ()
    size: int = 1

    @property
    def value(self) -> Any:
        """The plain Python value. What YAML takes for a date is the text as it is written."""
        if self.kind == "map":
            return {key.value: value.value for key, value in self.items}
        if self.kind == "list":
            return [item.value for item in self.items]
        return _scalar_value(self.kind, self.text)


def read_nodes(path: Path, report: ReportMistake) -> YamlNode:
    """Return the root node of a YAML file.

    Args:
        report: called for mistakes that leave the rest readable, such as a repeated key.

    Raises:
        BenchError: no such file, not YAML, or beyond a limit; one line, with the line of the file.
    """
    import yaml

    builder = _Builder(path, report)
    try:
        for event in yaml.parse(_read_text(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.handle(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(f"{error.problem or ''}{', ' + error.context if error.context else ''}".split())
        raise BenchError(f"{location(path, mark.line + 1 if mark else 0)}: not valid YAML: {short(problem)}") from None
    except yaml.YAMLError as error:
        raise BenchError(f"{path}: not valid YAML: {short(' '.join(str(error).split()))}") from None
    except RecursionError:
        raise BenchError(f"{path}: {_TOO_DEEP}") from None
    return builder.roots[0] if builder.roots else YamlNode("null", 0)


def location(path: Path, line: int) -> str:
    """Return `task.yaml:7`."""
    return f"{path}:{line}" if line else str(path)


def describe_node(node: YamlNode) -> str:
    """Return a value as messages name it."""
    if node.kind in ("map", "list", "null"):
        return {"map": "a mapping", "list": "a list", "null": "empty"}[node.kind]
    if node.kind == "timestamp":
        return f"the date {node.text}"
    return quote(node.text) if node.kind == "str" else short(node.text)


def misread_note(node: YamlNode) -> str:
    """Explain why YAML does not read a scalar as text, and how to correct that."""
    read_as = {"bool": "true" if node.text.lower() in _TRUE else "false", "null": "nothing", "timestamp": "a date"}
    cure = f'write "{short(node.text)}" in quotes' if node.text else "give it a value, or leave the key out"
    return f"YAML reads {short(node.text) or 'what is empty'} as {read_as.get(node.kind, 'a number')}; {cure}"


def quote(text: str) -> str:
    """Return the shortened text in quotes."""
    return f"'{short(text)}'"


def node_from_python(content: Any, depth: int = 0) -> YamlNode:
    """Turn a plain Python value into a node without line numbers."""
    if depth > DEEPEST:
        raise BenchError(_TOO_DEEP)
    if isinstance(content, Mapping):
        pairs = ((node_from_python(key, depth + 1), node_from_python(value, depth + 1)) for key, value in content.items())
        return YamlNode("map", 0, items=tuple(pairs))
    if isinstance(content, list | tuple):
        return YamlNode("list", 0, items=tuple(node_from_python(item, depth + 1) for item in content))
    if content is None:
        return YamlNode("null", 0)
    kinds = {bool: "bool", int: "int", float: "float", str: "str"}
    text = str(content).lower() if isinstance(content, bool) else str(content)
    return YamlNode(kinds.get(type(content), "timestamp"), 0, text)


def _read_text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would block
            raise BenchError(f"{path}: no file; give the path of a YAML file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BenchError(f"{short(str(path))}: {error.strerror}; give the path of a YAML file") from None
    except ValueError:
        raise BenchError(f"{short(str(path))}: no path; give the path of a YAML file") from None
    if len(content) > MOST_BYTES:
        raise BenchError(
            f"{path}: is larger than {MOST_BYTES // 1024} KiB, the most for a YAML file; data belong into files of their own"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"{content[error.start]:#04x}"
        raise BenchError(f"{location(path, line)}: not UTF-8 (byte {byte}); save the file as UTF-8") from None


class _Builder:
    """Builds nodes from the parser's events.

    Attributes:
        roots: the root node of each document.
        open: the lists and mappings that have not ended: kind, line, anchor, and the nodes inside so far.
        anchors: anchor → its node, None while the node has not ended.
        size: the number of nodes so far.
    """

    def __init__(self, path: Path, report: ReportMistake):
        self.path, self.report = path, report
        self.roots: list[YamlNode] = []
        self.open: list[tuple[str, int, str | None, list[YamlNode]]] = []
        self.anchors: dict[str, YamlNode | None] = {}
        self.size = 0

    def handle(self, event: Any) -> None:
        """Process the next event."""
        import yaml

        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent) and self.roots:
            raise self._error(line, "a second document (---); a file holds one")
        if isinstance(event, yaml.AliasEvent):
            self._add(self._resolve_alias(event.anchor, line), line)
        elif isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, line)
            if event.anchor:
                self.anchors[event.anchor] = node
            self._add(node, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if len(self.open) >= DEEPEST:
                raise self._error(line, _TOO_DEEP)
            if event.tag and event.tag not in (f"{_TAG}map", f"{_TAG}seq"):
                self.report(line, f"the type {short(event.tag)} is not known; leave it out")
            if event.anchor:
                self.anchors[event.anchor] = None
            self.open.append(("map" if isinstance(event, yaml.MappingStartEvent) else "list", line, event.anchor, []))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()

    def _error(self, line: int, message: str) -> BenchError:
        return BenchError(f"{location(self.path, line)}: {message}")

    def _add(self, node: YamlNode, line: int) -> None:
        self.size += node.size
        if self.size > MOST_NODES:
            raise self._error(line, f"more than {MOST_NODES:,} values with those that aliases (*name) repeat; write less")
        (self.open[-1][3] if self.open else self.roots).append(node)

    def _resolve_alias(self, anchor: str, line: int) -> YamlNode:
        if anchor not in self.anchors:
            raise self._error(line, f"*{short(anchor)} has no anchor &{short(anchor)} above it")
        node = self.anchors[anchor]
        if node is None:
            raise self._error(line, f"*{short(anchor)} stands inside of what it repeats")
        return node

    def _scalar(self, event: Any, line: int) -> YamlNode:
        if len(event.value) > LONGEST:
            raise self._error(line, f"a value of {len(event.value):,} characters; the most are {LONGEST:,}")
        node = YamlNode(_scalar_kind(event, self.report, line), line, event.value, size=1 + len(event.value) // 64)
        if node.kind in ("int", "float") and len(node.text) > DIGITS + 10:
            self.report(line, f"a number of {len(node.text):,} digits; the most are {DIGITS}")
            node = YamlNode("str", line, node.text[:SHOWN])
        return node

    def _close(self) -> None:
        """End the innermost list or mapping."""
        kind, line, anchor, inside = self.open.pop()
        size = sum(node.size for node in inside)
        if kind == "map":
            node = _mapping(inside, line, self.report)
        else:
            node = YamlNode("list", line, items=tuple(inside), size=1 + size)
        if anchor:
            self.anchors[anchor] = node
        self.size -= size  # `_add` counts these nodes again, as part of this one
        self._add(node, line)


def _mapping(inside: list[YamlNode], line: int, report: ReportMistake) -> YamlNode:
    """Return the mapping of alternating keys and values. `<<` adds pairs whose keys are not in the mapping itself."""
    own: dict[str, tuple[YamlNode, YamlNode]] = {}
    merged: dict[str, tuple[YamlNode, YamlNode]] = {}
    for key, value in zip(inside[::2], inside[1::2], strict=True):
        if key.kind in ("map", "list"):
            report(key.line, f"{describe_node(key)} is the key of a value; a key is a text")
        elif key.kind == "merge":
            bases = value.items if value.kind == "list" else (value,)
            if any(base.kind != "map" for base in bases):
                report(key.line, "<< must name a mapping, or a list of mappings")
            for base in (base for base in bases if base.kind == "map"):
                for pair in base.items:
                    merged.setdefault(pair[0].text, pair)
        elif key.text in own:
            first = own[key.text][0].line
            report(key.line, f"the key {short(key.text)} stands here again, after line {first}; leave one out")
        else:
            own[key.text] = (key, value)
    pairs = tuple({**merged, **own}.values())
    return YamlNode("map", line, items=pairs, size=1 + sum(key.size + value.size for key, value in pairs))


def _scalar_kind(event: Any, report: ReportMistake, line: int) -> str:
    if event.tag and event.tag != "!":
        name = event.tag.removeprefix(_TAG)
        if name not in _TYPES or (name != "str" and name != _implicit_kind(event.value)):
            report(line, f"the type {short(event.tag)} is not known, or not that of the value; leave it out")
            return "str"
        return name
    return _implicit_kind(event.value) if event.implicit[0] else "str"


def _implicit_kind(text: str) -> str:
    """Return the type that YAML gives an unquoted scalar."""
    from yaml.nodes import ScalarNode

    return _loader().resolve(ScalarNode, text, (True, False)).removeprefix(_TAG).replace("value", "str")


def _scalar_value(kind: str, text: str) -> Any:
    """Return the Python value of a scalar, as YAML 1.1 reads it: `yes` is True, `1:30` is 90, `0x10` is 16."""
    from yaml.nodes import ScalarNode

    if kind not in _TYPES - {"str"}:
        return text
    tag = f"{_TAG}{kind}"
    return _loader().yaml_constructors[tag](_loader(), ScalarNode(tag, text))


@cache
def _loader() -> Any:
    from yaml import SafeLoader

    return SafeLoader("")
