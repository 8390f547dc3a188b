"""A YAML file that a person wrote, checked value by value with the line of each.

`read_document` gives the root as a `Value`. Whoever knows the keys of a file asks its values for a text, a whole number, a list and so
on. What is wrong is collected, so that one message holds all mistakes of a file, each with its line; `Faults.check` raises it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from harness.data.file_layer import reject_address
from harness.errors import BenchError, unknown
from harness.safe_text import plain
from harness.yaml_reader import (
    DIGITS,
    SHOWN,
    YamlNode,
    describe_node,
    location,
    misread_note,
    node_from_python,
    quote,
    read_nodes,
)

LONGEST = 1000  # characters of a message
MOST_FAULTS = 10  # that one message holds
PATH, PART = 4096, 255  # bytes of a path, and of each of its parts, that file systems take

T = TypeVar("T")


@dataclass
class Faults:
    """All that is wrong in one file.

    Attributes:
        path: of the file.
        found: (line, message) of each fault.
        unknown: lines with a type that YAML does not know; what else is wrong there follows from it.
    """

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)
    unknown: set[int] = field(default_factory=set)

    def add(self, line: int, message: str) -> None:
        message = plain(message)
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
        if line in self.unknown or (line, message) in self.found:
            return
        self.found.append((line, message))
        if message.startswith("the type "):
            self.unknown.add(line)

    def check(self) -> None:
        """Raise a `BenchError` with a line for each fault, the first `MOST_FAULTS` of them."""
        if not self.found:
            return
        told = [
            message if message.startswith(f"{self.path.parent}/") else f"{location(self.path, line)}: {message}"
            for line, message in sorted(self.found, key=lambda one: one[0])
        ]
        more = [f"{self.path}: and {len(told) - MOST_FAULTS} more"] if len(told) > MOST_FAULTS else []
        raise BenchError("\n".join([*told[:MOST_FAULTS], *more]))


@dataclass(frozen=True)
class YamlValue:
    """A value with its name (`data.files.train`). Methods that find it wrong note a fault and give None, or nothing."""

    node: YamlNode
    name: str
    faults: Faults

    @classmethod
    def of(cls, content: Any, path: Path) -> YamlValue:
        """The value that content without lines stands for, as another YAML reader gives it."""
        return cls(node_from_python(content), "", Faults(path))

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
        self.fault("must be a text, not " + describe_node(node) if node.kind in ("map", "list") else misread_note(node))
        return None

    def title(self, most: int = 100) -> str | None:
        """A text of one line that can be a name: no control characters, at most `most` characters, one or more."""
        text = self.text()
        if text is None:
            return None
        if plain(text) != text or not text.strip():
            self.fault(f"{quote(text)} cannot be a name; write one line of visible characters")
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
            self.fault(f"is {describe_node(node)}; it must be a whole number, {least} or more")
        return None

    def path(self, folder: Path) -> str | None:
        """A path, meant from a folder; absolute."""
        text = self.text()
        if text is None:
            return None
        parts = re.split(r"[/!]", text)
        if not text or "\0" in text or len(text.encode("utf-8", "replace")) > PATH:
            self.fault(f"{quote(text)} is no path" + ("" if len(text) < PATH else f"; the most are {PATH:,} bytes"))
            return None
        if any(len(part.encode("utf-8", "replace")) > PART for part in parts):
            self.fault(f"{quote(text)} is no path; the name of a file or folder has {PART} bytes at most")
            return None
        try:
            reject_address(text)
        except BenchError as error:
            self.fault(str(error))
            return None
        try:
            return str(
                folder.absolute() / Path(text).expanduser()
            )  # absolute: a worker's current folder may be another
        except RuntimeError:
            self.fault(f"{text}: there is no such user here; write the path in full")
            return None

    def items(self) -> Iterator[tuple[str, YamlValue]]:
        """The keys of a mapping, as texts, and their values; nothing of an empty value."""
        if self.node.kind == "null":
            return
        if self.node.kind != "map":
            self.fault(f"is {describe_node(self.node)}; it must be a mapping of names to values")
            return
        for key, value in self.node.items:
            name = YamlValue(key, _inside(self.name, key.text), self.faults).text(numbers=True)
            if name is not None:
                yield name, YamlValue(value, _inside(self.name, name), self.faults)

    def keys(self, valid: Iterable[str], kind: str = "key") -> dict[str, YamlValue]:
        """The mapping's values by key; keys that are not valid are faults, with the nearest one that is."""
        valid, found = list(valid), {}
        for name, value in self.items():
            if name in valid:
                found[name] = value
            else:
                where = f"{self.name}: " if self.name else ""
                self.faults.add(value.node.line, where + str(unknown(kind, name[:SHOWN], valid)))
        return found

    def list(self, what: str = "a list") -> Iterator[YamlValue]:
        """The values of a list; nothing of an empty value."""
        if self.node.kind == "list":
            for number, node in enumerate(self.node.items, start=1):
                yield YamlValue(node, self.name if len(self.node.items) == 1 else f"{self.name} {number}", self.faults)
        elif self.node.kind != "null":
            self.fault(f"is {describe_node(self.node)}; it must be {what}")


def read_yaml(path: Path) -> YamlValue:
    """The mapping in a YAML file. Nothing in it can name code, and reading takes bounded time and memory.

    Raises:
        BenchError: no such file, no YAML, no mapping, or beyond one of the limits; one line, with the line of the file.
    """
    faults = Faults(path)
    root = read_nodes(path, faults.add)
    if root.kind != "map":
        faults.check()
        raise BenchError(f"{location(path, root.line)}: must be a mapping of keys to values, not {describe_node(root)}")
    return YamlValue(root, "", faults)


def _inside(name: str, key: str) -> str:
    return f"{name}.{key[:SHOWN]}" if name else key[:SHOWN]
