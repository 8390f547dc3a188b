"""A YAML file that a person wrote: read within limits, and checked value by value with the line of each.

`read_document` gives the root as a `Value`. Whoever knows the keys of a file asks its values for a text, a whole number, a list and so
on. What is wrong is collected, so that one message holds all mistakes of a file, each with its line; `Faults.check` raises it.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import BenchError, unknown
from harness.shown import plain

MOST_BYTES = 1024**2  # of a file
DEEPEST = 30  # lists and mappings inside of each other
MOST_NODES = 100_000  # values and keys, those that aliases repeat counted each time; of long texts every 64 characters count as one
LONGEST = 20_000  # characters of one value
DIGITS = 18  # of a number
SHOWN = 60  # characters of a value in a message
MOST_FAULTS = 10  # that one message holds
PATH, PART = 4096, 255  # bytes of a path, and of each of its parts, that file systems take

T = TypeVar("T")
_TAG = "tag:yaml.org,2002:"
_TYPES = {"str", "int", "float", "bool", "null"}
_TRUE = ("yes", "true", "on")


@dataclass(frozen=True)
class Node:
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


@dataclass
class Faults:
    """All that is wrong in one file."""

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        if (line, message) not in self.found:
            self.found.append((line, message))

    def check(self) -> None:
        """Raise a `BenchError` with a line for each fault, the first `MOST_FAULTS` of them."""
        if not self.found:
            return
        told = [
            message if message.startswith(f"{self.path.parent}/") else f"{place(self.path, line)}: {message}"
            for line, message in sorted(self.found, key=lambda one: one[0])
        ]
        more = [f"{self.path}: and {len(told) - MOST_FAULTS} more"] if len(told) > MOST_FAULTS else []
        raise BenchError("\n".join([*told[:MOST_FAULTS], *more]))


@dataclass(frozen=True)
class Value:
    """A value with its name (`data.files.train`). Methods that find it wrong note a fault and give None, or nothing."""

    node: Node
    name: str
    faults: Faults

    @classmethod
    def of(cls, content: Any, path: Path) -> Value:
        """The value that content without lines stands for, as another YAML reader gives it."""
        return cls(_node_of(content), "", Faults(path))

    def plain(self) -> Any:
        """The content as plain Python."""
        return self.node.value

    @property
    def given(self) -> bool:
        """False where the file leaves the value empty."""
        return self.node.kind != "null"

    def fault(self, message: str) -> None:
        """Note that the value is wrong; the message follows its name."""
        gap = " " if message.startswith(("is ", "must ", "needs ", "names ")) else ": "
        self.faults.add(self.node.line, f"{self.name}{gap}{message}" if self.name else message)

    def attempt(self, call: Callable[..., T], *args: Any, **more: Any) -> T | None:
        """What a call gives; a `BenchError` becomes a fault of this value."""
        try:
            return call(*args, **more)
        except BenchError as error:
            for line in str(error).split("\n"):
                message = line.removeprefix(f"{self.faults.path}: ")
                named = not self.name or message.startswith((self.name, f"{self.faults.path.parent}/"))
                self.faults.add(self.node.line, message if named else f"{self.name}: {message}")
            return None

    def text(self, numbers: bool = False) -> str | None:
        """A text. A whole number is one too if its text is plain; with `numbers` so is `1.5`, as labels are called."""
        node = self.node
        if node.kind in ("str", "merge") or (node.kind == "int" and str(node.value) == node.text):
            return node.text
        if numbers and node.kind == "float" and str(node.value) == node.text:
            return node.text
        self.fault("must be a text, not " + said(node) if node.kind in ("map", "list") else misread(node))
        return None

    def title(self, most: int = 100) -> str | None:
        """A text of one line that can be a name: no control characters, at most `most` characters, one or more."""
        text = self.text()
        if text is None:
            return None
        if plain(text) != text or not text.strip():
            self.fault(f"{_quoted(text)} cannot be a name; write one line of visible characters")
            return None
        if len(text) > most:
            self.fault(f"{len(text):,} characters are too many for a name; the most are {most}")
            return None
        return text.strip()

    def whole(self, least: int = 0) -> int | None:
        """A whole number, `least` or more; quoted ones too."""
        node = self.node
        if node.kind in ("int", "str") and re.fullmatch(rf"[-+]?(0|[1-9]\d{{0,{DIGITS - 1}}})", node.text):
            if int(node.text) >= least:
                return int(node.text)
            self.fault(f"is {node.text}; it must be {least} or more")
        elif node.kind == "bool":
            truth = "true" if node.value else "false"
            self.fault(f"YAML reads {node.text} as {truth}; it must be a whole number, {least} or more")
        else:
            self.fault(f"is {said(node)}; it must be a whole number, {least} or more")
        return None

    def path(self, folder: Path) -> str | None:
        """A path, meant from a folder; absolute."""
        text = self.text()
        if text is None:
            return None
        parts = re.split(r"[/!]", text)
        if not text or "\0" in text or len(text.encode("utf-8", "replace")) > PATH:
            self.fault(f"{_quoted(text)} is no path" + ("" if len(text) < PATH else f"; the most are {PATH:,} bytes"))
            return None
        if any(len(part.encode("utf-8", "replace")) > PART for part in parts):
            self.fault(f"{_quoted(text)} is no path; the name of a file or folder has {PART} bytes at most")
            return None
        try:
            return str(
                folder.absolute() / Path(text).expanduser()
            )  # absolute: a worker's current folder may be another
        except RuntimeError:
            self.fault(f"{text}: there is no such user here; write the path in full")
            return None

    def items(self) -> Iterator[tuple[str, Value]]:
        """The keys of a mapping, as texts, and their values; nothing of an empty value."""
        if self.node.kind == "null":
            return
        if self.node.kind != "map":
            self.fault(f"is {said(self.node)}; it must be a mapping of names to values")
            return
        for key, value in self.node.items:
            name = Value(key, _inside(self.name, key.text), self.faults).text(numbers=True)
            if name is not None:
                yield name, Value(value, _inside(self.name, name), self.faults)

    def keys(self, valid: Iterable[str], kind: str = "key") -> dict[str, Value]:
        """The mapping's values by key; keys that are not valid are faults, with the nearest one that is."""
        valid, found = list(valid), {}
        for name, value in self.items():
            if name in valid:
                found[name] = value
            else:
                where = f"{self.name}: " if self.name else ""
                self.faults.add(value.node.line, where + str(unknown(kind, name[:SHOWN], valid)))
        return found

    def list(self, what: str = "a list") -> Iterator[Value]:
        """The values of a list; nothing of an empty value."""
        if self.node.kind == "list":
            for number, node in enumerate(self.node.items, start=1):
                yield Value(node, self.name if len(self.node.items) == 1 else f"{self.name} {number}", self.faults)
        elif self.node.kind != "null":
            self.fault(f"is {said(self.node)}; it must be {what}")


def read_document(path: Path) -> Value:
    """The mapping in a YAML file. Nothing in it can name code, and reading takes bounded time and memory.

    Raises:
        BenchError: no such file, no YAML, no mapping, or beyond one of the limits; one line, with the line of the file.
    """
    faults = Faults(path)
    root = _compose(_read(path), faults)
    if root.kind != "map":
        faults.check()
        raise BenchError(f"{place(path, root.line)}: must be a mapping of keys to values, not {said(root)}")
    return Value(root, "", faults)


def place(path: Path, line: int) -> str:
    """`task.yaml:7`."""
    return f"{path}:{line}" if line else str(path)


def said(node: Node) -> str:
    """A value as messages call it."""
    if node.kind in ("map", "list", "null"):
        return {"map": "a mapping", "list": "a list", "null": "empty"}[node.kind]
    if node.kind == "timestamp":
        return f"the date {node.text}"
    return _quoted(node.text) if node.kind == "str" else _short(node.text)


def misread(node: Node) -> str:
    """Why a scalar that should be a text is none, and the cure."""
    taken = {"bool": "true" if node.text.lower() in _TRUE else "false", "null": "nothing", "timestamp": "a date"}
    quoted = f'write "{_short(node.text)}" in quotes' if node.text else "give it a value, or leave the key out"
    return f"YAML reads {_short(node.text) or 'what is empty'} as {taken.get(node.kind, 'a number')}; {quoted}"


def _inside(name: str, key: str) -> str:
    return f"{name}.{key[:SHOWN]}" if name else key[:SHOWN]


def _short(text: str) -> str:
    text = plain(text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}… ({len(text):,} characters)"


def _quoted(text: str) -> str:
    return f"'{_short(text)}'"


def _read(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise BenchError(f"{path}: no file; give the path of a YAML file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BenchError(f"{_short(str(path))}: {error.strerror}; give the path of a YAML file") from None
    except ValueError:
        raise BenchError(f"{_short(str(path))}: no path; give the path of a YAML file") from None
    if len(content) > MOST_BYTES:
        raise BenchError(
            f"{path}: is larger than {MOST_BYTES // 1024} KiB, the most for a YAML file; data belong into files of their own"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BenchError(
            f"{place(path, line)}: not UTF-8 (byte {content[error.start]:#04x}); save the file as UTF-8"
        ) from None


def _compose(text: str, faults: Faults) -> Node:
    """The root node, built from the parser's events, so that nothing grows beyond the limits before it is looked at."""
    import yaml

    path = faults.path
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    anchors: dict[str, Node | None] = {}
    stack: list[tuple[str, int, str | None, list[Node]]] = []  # kind, line, anchor, what is in it so far
    roots: list[Node] = []
    size = 0

    def too_much(line: int, message: str) -> BenchError:
        return BenchError(f"{place(path, line)}: {message}")

    def add(node: Node, line: int) -> None:
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
                    raise too_much(line, f"*{_short(event.anchor)} has no anchor &{_short(event.anchor)} above it")
                if (known := anchors[event.anchor]) is None:
                    raise too_much(line, f"*{_short(event.anchor)} stands inside of what it repeats")
                add(known, line)
            elif isinstance(event, yaml.ScalarEvent):
                if len(event.value) > LONGEST:
                    raise too_much(line, f"a value of {len(event.value):,} characters; the most are {LONGEST:,}")
                node = Node(_kind(event, faults, line), line, event.value, size=1 + len(event.value) // 64)
                if node.kind in ("int", "float") and len(node.text) > DIGITS + 10:
                    faults.add(line, f"a number of {len(node.text):,} digits; the most are {DIGITS}")
                    node = Node("str", line, node.text[:SHOWN])
                if event.anchor:
                    anchors[event.anchor] = node
                add(node, line)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                if len(stack) >= DEEPEST:
                    raise too_much(line, f"more than {DEEPEST} lists and mappings inside of each other")
                kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
                if event.tag and event.tag not in (f"{_TAG}map", f"{_TAG}seq"):
                    faults.add(line, f"the type {_short(event.tag)} is not known; leave it out")
                if event.anchor:
                    anchors[event.anchor] = None
                stack.append((kind, line, event.anchor, []))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                kind, line, anchor, inside = stack.pop()
                if kind == "map":
                    node = _mapping(inside, line, faults)
                else:
                    node = Node("list", line, items=tuple(inside), size=1 + sum(one.size for one in inside))
                if anchor:
                    anchors[anchor] = node
                size -= sum(one.size for one in inside)  # add counts them again, within the node
                add(node, line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(f"{error.problem or ''}{', ' + error.context if error.context else ''}".split())
        raise BenchError(f"{place(path, mark.line + 1 if mark else 0)}: not valid YAML: {_short(said)}") from None
    except yaml.YAMLError as error:
        raise BenchError(f"{path}: not valid YAML: {_short(' '.join(str(error).split()))}") from None
    except RecursionError:
        raise BenchError(f"{path}: more than {DEEPEST} lists and mappings inside of each other") from None
    return roots[0] if roots else Node("null", 0)


def _mapping(inside: list[Node], line: int, faults: Faults) -> Node:
    """The mapping of keys and values in turn; what `<<` names comes in where it has no value of its own."""
    found: dict[str, tuple[Node, Node]] = {}
    merged: dict[str, tuple[Node, Node]] = {}
    for key, value in zip(inside[::2], inside[1::2], strict=True):
        if key.kind in ("map", "list"):
            faults.add(key.line, f"{said(key)} is the key of a value; a key is a text")
        elif key.kind == "merge":
            bases = value.items if value.kind == "list" else (value,)
            if any(base.kind != "map" for base in bases):
                faults.add(key.line, "<< must name a mapping, or a list of mappings")
            for base in (base for base in bases if base.kind == "map"):
                for pair in base.items:
                    merged.setdefault(pair[0].text, pair)
        elif key.text in found:
            faults.add(
                key.line,
                f"the key {_short(key.text)} stands here again, after line {found[key.text][0].line}; leave one out",
            )
        else:
            found[key.text] = (key, value)
    pairs = tuple({**merged, **found}.values())
    return Node("map", line, items=pairs, size=1 + sum(key.size + value.size for key, value in pairs))


def _kind(event: Any, faults: Faults, line: int) -> str:
    """The type of a scalar."""
    if event.tag and event.tag != "!":
        name = event.tag.removeprefix(_TAG)
        if name not in _TYPES or (name != "str" and name != _resolved(event.value)):
            faults.add(line, f"the type {_short(event.tag)} is not known, or not that of the value; leave it out")
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


def _node_of(content: Any, depth: int = 0) -> Node:
    """Plain Python as a node without lines."""
    if depth > DEEPEST:
        raise BenchError(f"more than {DEEPEST} lists and mappings inside of each other")
    if isinstance(content, Mapping):
        pairs = tuple((_node_of(key, depth + 1), _node_of(value, depth + 1)) for key, value in content.items())
        return Node("map", 0, items=pairs)
    if isinstance(content, list | tuple):
        return Node("list", 0, items=tuple(_node_of(item, depth + 1) for item in content))
    if content is None:
        return Node("null", 0)
    kinds = {bool: "bool", int: "int", float: "float", str: "str"}
    return Node(
        kinds.get(type(content), "timestamp"),
        0,
        {True: "true", False: "false"}.get(content, content) if isinstance(content, bool) else str(content),
    )
