"""YAML as nodes with their lines, read within limits.

PyYAML's parser gives one event after the other; the nodes are built here, so that nothing grows beyond a limit before it is looked at:
aliases repeat what they name without copying it, and are counted as if they did.
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
DEEPEST = 30  # lists and mappings inside of each other
MOST_NODES = 100_000  # values and keys, those that aliases repeat counted each time; of long texts every 64 characters count as one
LONGEST = 20_000  # characters of one value
DIGITS = 18  # of a number

Note = Callable[[int, str], None]  # is told of a mistake: its line and what it is
_TAG = "tag:yaml.org,2002:"
_TYPES = {"str", "int", "float", "bool", "null"}
_TRUE = ("yes", "true", "on")


@dataclass(frozen=True)
class YamlNode:
    """A value of the file.

    Attributes:
        kind: `map`, `list`, or of a scalar its type as YAML reads it: `str`, `int`, `float`, `bool`, `null`, `timestamp`.
        line: from 1; 0 where the content comes from no file.
        text: of a scalar as it is written.
        items: of a list its nodes, of a mapping pairs of nodes.
        size: nodes in it, see `MOST_NODES`.
    """

    kind: str
    line: int
    text: str = ""
    items: tuple[Any, ...] = ()
    size: int = 1

    @property
    def value(self) -> Any:
        """As plain Python; what YAML takes for a date is the text that is written there."""
        if self.kind == "map":
            return {key.value: value.value for key, value in self.items}
        if self.kind == "list":
            return [item.value for item in self.items]
        return _scalar(self.kind, self.text)


def read_nodes(path: Path, note: Note) -> YamlNode:
    """The root node of a YAML file.

    Args:
        note: is told of what is wrong but leaves the rest readable, such as a key that stands twice.

    Raises:
        BenchError: no such file, no YAML, or beyond one of the limits; one line, with the line of the file.
    """
    return _compose(_read(path), path, note)


def location(path: Path, line: int) -> str:
    """`task.yaml:7`."""
    return f"{path}:{line}" if line else str(path)


def describe_node(node: YamlNode) -> str:
    """A value as messages call it."""
    if node.kind in ("map", "list", "null"):
        return {"map": "a mapping", "list": "a list", "null": "empty"}[node.kind]
    if node.kind == "timestamp":
        return f"the date {node.text}"
    return quote(node.text) if node.kind == "str" else short(node.text)


def misread_note(node: YamlNode) -> str:
    """Why a scalar that should be a text is none, and the cure."""
    taken = {"bool": "true" if node.text.lower() in _TRUE else "false", "null": "nothing", "timestamp": "a date"}
    quoted = f'write "{short(node.text)}" in quotes' if node.text else "give it a value, or leave the key out"
    return f"YAML reads {short(node.text) or 'what is empty'} as {taken.get(node.kind, 'a number')}; {quoted}"


def quote(text: str) -> str:
    """The same in quotes."""
    return f"'{short(text)}'"


def _read(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
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
        raise BenchError(
            f"{location(path, line)}: not UTF-8 (byte {content[error.start]:#04x}); save the file as UTF-8"
        ) from None


def _compose(text: str, path: Path, note: Note) -> YamlNode:
    """The root node, built from the parser's events, so that nothing grows beyond the limits before it is looked at."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    anchors: dict[str, YamlNode | None] = {}
    stack: list[tuple[str, int, str | None, list[YamlNode]]] = []  # kind, line, anchor, what is in it so far
    roots: list[YamlNode] = []
    size = 0

    def too_much(line: int, message: str) -> BenchError:
        return BenchError(f"{location(path, line)}: {message}")

    def add(node: YamlNode, line: int) -> None:
        nonlocal size
        size += node.size
        if size > MOST_NODES:
            raise too_much(line, f"more than {MOST_NODES:,} values with those that aliases (*name) repeat; write less")
        (stack[-1][3] if stack else roots).append(node)

    try:
        for event in yaml.parse(text, Loader=loader):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent) and roots:
                raise too_much(line, "a second document (---); a file holds one")
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    raise too_much(line, f"*{short(event.anchor)} has no anchor &{short(event.anchor)} above it")
                if (known := anchors[event.anchor]) is None:
                    raise too_much(line, f"*{short(event.anchor)} stands inside of what it repeats")
                add(known, line)
            elif isinstance(event, yaml.ScalarEvent):
                if len(event.value) > LONGEST:
                    raise too_much(line, f"a value of {len(event.value):,} characters; the most are {LONGEST:,}")
                node = YamlNode(_kind(event, note, line), line, event.value, size=1 + len(event.value) // 64)
                if node.kind in ("int", "float") and len(node.text) > DIGITS + 10:
                    note(line, f"a number of {len(node.text):,} digits; the most are {DIGITS}")
                    node = YamlNode("str", line, node.text[:SHOWN])
                if event.anchor:
                    anchors[event.anchor] = node
                add(node, line)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                if len(stack) >= DEEPEST:
                    raise too_much(line, f"more than {DEEPEST} lists and mappings inside of each other")
                kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
                if event.tag and event.tag not in (f"{_TAG}map", f"{_TAG}seq"):
                    note(line, f"the type {short(event.tag)} is not known; leave it out")
                if event.anchor:
                    anchors[event.anchor] = None
                stack.append((kind, line, event.anchor, []))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                kind, line, anchor, inside = stack.pop()
                if kind == "map":
                    node = _mapping(inside, line, note)
                else:
                    node = YamlNode("list", line, items=tuple(inside), size=1 + sum(one.size for one in inside))
                if anchor:
                    anchors[anchor] = node
                size -= sum(one.size for one in inside)  # add counts them again, within the node
                add(node, line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(f"{error.problem or ''}{', ' + error.context if error.context else ''}".split())
        raise BenchError(f"{location(path, mark.line + 1 if mark else 0)}: not valid YAML: {short(said)}") from None
    except yaml.YAMLError as error:
        raise BenchError(f"{path}: not valid YAML: {short(' '.join(str(error).split()))}") from None
    except RecursionError:
        raise BenchError(f"{path}: more than {DEEPEST} lists and mappings inside of each other") from None
    return roots[0] if roots else YamlNode("null", 0)


def _mapping(inside: list[YamlNode], line: int, note: Note) -> YamlNode:
    """The mapping of keys and values in turn; what `<<` names comes in where it has no value of its own."""
    found: dict[str, tuple[YamlNode, YamlNode]] = {}
    merged: dict[str, tuple[YamlNode, YamlNode]] = {}
    for key, value in zip(inside[::2], inside[1::2], strict=True):
        if key.kind in ("map", "list"):
            note(key.line, f"{describe_node(key)} is the key of a value; a key is a text")
        elif key.kind == "merge":
            bases = value.items if value.kind == "list" else (value,)
            if any(base.kind != "map" for base in bases):
                note(key.line, "<< must name a mapping, or a list of mappings")
            for base in (base for base in bases if base.kind == "map"):
                for pair in base.items:
                    merged.setdefault(pair[0].text, pair)
        elif key.text in found:
            note(
                key.line,
                f"the key {short(key.text)} stands here again, after line {found[key.text][0].line}; leave one out",
            )
        else:
            found[key.text] = (key, value)
    pairs = tuple({**merged, **found}.values())
    return YamlNode("map", line, items=pairs, size=1 + sum(key.size + value.size for key, value in pairs))


def _kind(event: Any, note: Note, line: int) -> str:
    """The type of a scalar."""
    if event.tag and event.tag != "!":
        name = event.tag.removeprefix(_TAG)
        if name not in _TYPES or (name != "str" and name != _resolved(event.value)):
            note(line, f"the type {short(event.tag)} is not known, or not that of the value; leave it out")
            return "str"
        return name
    return _resolved(event.value) if event.implicit[0] else "str"


def _resolved(text: str) -> str:
    from yaml.nodes import ScalarNode

    return _resolver().resolve(ScalarNode, text, (True, False)).removeprefix(_TAG).replace("value", "str")


@cache
def _resolver() -> Any:
    from yaml.resolver import Resolver

    return Resolver()


def _scalar(kind: str, text: str) -> Any:
    if kind == "bool":
        return text.lower() in _TRUE
    if kind == "null":
        return None
    if kind == "int":
        return _int(text)
    if kind == "float":
        return _float(text)
    return text


def _int(text: str) -> int:
    """As YAML 1.1 reads it: octal, hexadecimal, binary, and 1:30 for 90."""
    digits = text.replace("_", "").lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if ":" in digits:
        total = 0
        for part in digits.split(":"):
            total = total * 60 + int(part)
        return sign * total
    if digits.startswith(("0b", "0x")):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if len(digits) > 1 and digits.startswith("0") else 10)


def _float(text: str) -> float:
    plain = text.replace("_", "").lower()
    if plain.endswith((".inf", ".nan")):
        return float(plain.replace(".", ""))
    if ":" in plain:
        total = 0.0
        for part in plain.lstrip("+-").split(":"):
            total = total * 60 + float(part)
        return -total if plain.startswith("-") else total
    return float(plain)


def node_from_python(content: Any, depth: int = 0) -> YamlNode:
    """Plain Python as a node without lines."""
    if depth > DEEPEST:
        raise BenchError(f"more than {DEEPEST} lists and mappings inside of each other")
    if isinstance(content, Mapping):
        pairs = tuple((node_from_python(key, depth + 1), node_from_python(value, depth + 1)) for key, value in content.items())
        return YamlNode("map", 0, items=pairs)
    if isinstance(content, list | tuple):
        return YamlNode("list", 0, items=tuple(node_from_python(item, depth + 1) for item in content))
    if content is None:
        return YamlNode("null", 0)
    kinds = {bool: "bool", int: "int", float: "float", str: "str"}
    text = str(content).lower() if isinstance(content, bool) else str(content)
    return YamlNode(kinds.get(type(content), "timestamp"), 0, text)
