"""Check the values of a YAML file that a person wrote, one by one, with the line of each.

`read_yaml` returns the root as a `YamlValue`. Code that knows the keys of a file asks its values for a text, a whole
number, a list and so on. Mistakes are collected, so that one message holds all mistakes of a file with their lines;
`Faults.check` raises it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from harness.data.file_layer import reject_address
from harness.errors import BenchError, unknown
from harness.safe_text import SHOWN, plain
from harness.yaml_reader import (
    DIGITS,
    YamlNode,
    describe_node,
    location,
    misread_note,
    node_from_python,
    quote,
    read_nodes,
)

LONGEST = 1000  # characters of a message
MOST_FAULTS = 10  # faults in one message
PATH, PART = 4096, 255  # bytes of a path, and of each of its parts, that file systems accept

T = TypeVar("T")


@dataclass
class Faults:
    """All mistakes in one file.

    Attributes:
        path: the file.
        messages: the line and message of each mistake.
        untyped: lines with a type that YAML does not know; other mistakes there follow from it and are not reported.
    """

    path: Path
    messages: list[tuple[int, str]] = field(default_factory=list)
    untyped: set[int] = field(default_factory=set)

    def add(self, line: int, message: str) -> None:
        message = plain(message)
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
        if line in self.untyped or (line, message) in self.messages:
            return
        self.messages.append((line, message))
        if message.startswith("the type "):
            self.untyped.add(line)

    def check(self) -> None:
        """Raise a `BenchError` with one line for each of the first `MOST_FAULTS` mistakes, if there are any."""
        if not self.messages:
            return
        messages = [
            message if message.startswith(f"{self.path.parent}/") else f"{location(self.path, line)}: {message}"
            for line, message in sorted(self.messages, key=lambda fault: fault[0])
        ]
        if len(messages) > MOST_FAULTS:
            messages[MOST_FAULTS:] = [f"{self.path}: and {len(messages) - MOST_FAULTS} more"]
        raise BenchError("\n".join(messages))


@dataclass(frozen=True)
class YamlValue:
    """A value with its name, such as `data.files.train`. A method that finds it wrong adds a fault and returns None."""

    node: YamlNode
    name: str
    faults: Faults

    @classmethod
    def of(cls, content: Any, path: Path) -> YamlValue:
        """Wrap content that another YAML reader returned, without lines."""
        return cls(node_from_python(content), "", Faults(path))

    def plain(self) -> Any:
        """Return the plain Python value."""
        return self.node.value

    @property
    def given(self) -> bool:
        """Whether the file gives a value at all."""
        return self.node.kind != "null"

    def fault(self, message: str) -> None:
        """Add a fault; the message follows the value's name."""
        gap = " " if message.startswith(("is ", "must ", "needs ", "names ")) else ": "
        self.faults.add(self.node.line, f"{self.name}{gap}{message}" if self.name else message)

    def attempt(self, call: Callable[..., T], *args: Any, **options: Any) -> T | None:
        """Return the result of a call; a `BenchError` becomes a fault of this value."""
        try:
            return call(*args, **options)
        except BenchError as error:
            for line in str(error).split("\n"):
                message = line.removeprefix(f"{self.faults.path}: ")
                is_named = not self.name or message.startswith((self.name, f"{self.faults.path.parent}/"))
                self.faults.add(self.node.line, message if is_named else f"{self.name}: {message}")
            return None

    def text(self, numbers: bool = False) -> str | None:
        """Return a text. A plainly written whole number is one too, and with `numbers` (for labels) so is `1.5`."""
        node = self.node
        kinds = ("int", "float") if numbers else ("int",)
        if node.kind in ("str", "merge") or (node.kind in kinds and str(node.value) == node.text):
            return node.text
        self.fault("must be a text, not " + describe_node(node) if node.kind in ("map", "list") else misread_note(node))
        return None

    def title(self, most: int = 100) -> str | None:
        """Return a text that can be a name: one line of 1 to `most` visible characters."""
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
        """Return a whole number of at least `least`; it may be quoted."""
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
        """Return a path, resolved against a folder and absolute."""
        text = self.text()
        if text is None:
            return None
        if not text or "\0" in text or _byte_length(text) > PATH:
            self.fault(f"{quote(text)} is no path" + ("" if len(text) < PATH else f"; the most are {PATH:,} bytes"))
            return None
        if any(_byte_length(part) > PART for part in re.split(r"[/!]", text)):
            self.fault(f"{quote(text)} is no path; the name of a file or folder has {PART} bytes at most")
            return None
        try:
            reject_address(text)
            return str(folder.absolute() / Path(text).expanduser())  # a worker may have another current folder
        except BenchError as error:
            self.fault(str(error))
        except RuntimeError:
            self.fault(f"{text}: there is no such user here; write the path in full")
        return None

    def items(self) -> Iterator[tuple[str, YamlValue]]:
        """Yield the keys of a mapping, as texts, with their values; nothing for an empty value."""
        if not self.given:
            return
        if self.node.kind != "map":
            self.fault(f"is {describe_node(self.node)}; it must be a mapping of names to values")
            return
        for key, value in self.node.items:
            name = YamlValue(key, _qualified(self.name, key.text), self.faults).text(numbers=True)
            if name is not None:
                yield name, YamlValue(value, _qualified(self.name, name), self.faults)

    def keys(self, valid: Iterable[str], kind: str = "key") -> dict[str, YamlValue]:
        """Return the values of a mapping by key. An invalid key is a fault, which suggests the nearest valid key."""
        valid, values = list(valid), {}
        for name, value in self.items():
            if name in valid:
                values[name] = value
            else:
                prefix = f"{self.name}: " if self.name else ""
                self.faults.add(value.node.line, prefix + str(unknown(kind, name[:SHOWN], valid)))
        return values

    def list(self, what: str = "a list") -> Iterator[YamlValue]:
        """Yield the values of a list; nothing for an empty value."""
        if self.node.kind == "list":
            for number, node in enumerate(self.node.items, start=1):
                yield YamlValue(node, self.name if len(self.node.items) == 1 else f"{self.name} {number}", self.faults)
        elif self.given:
            self.fault(f"is {describe_node(self.node)}; it must be {what}")


def read_yaml(path: Path) -> YamlValue:
    """Return the mapping in a YAML file. Nothing in it can name code, and reading takes bounded time and memory.

    Raises:
        BenchError: no such file, not YAML, not a mapping, or beyond a limit; one line, with the line of the file.
    """
    faults = Faults(path)
    root = read_nodes(path, faults.add)
    if root.kind != "map":
        faults.check()
        raise BenchError(f"{location(path, root.line)}: must be a mapping of keys to values, not {describe_node(root)}")
    return YamlValue(root, "", faults)


def _qualified(name: str, key: str) -> str:
    return f"{name}.{key[:SHOWN]}" if name else key[:SHOWN]


def _byte_length(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
