"""Read the values of options, from a command line or from a suite that sets their defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from harness.cell import SEARCH_SEED
from harness.errors import BenchError, unknown
from harness.methods import METHODS
from harness.recipe import full_name
from harness.train_rows import Sizes
from harness.yaml_values import YamlValue

OPTIONS = ("methods", "seeds", "train_sizes")  # keys of a suite that set options; its section `search` does so too
SMALLEST = 2  # training rows: a single one is of one class


@dataclass(frozen=True)
class Defaults:
    """The options of a run that names none, written as on the command line; a suite may set others."""

    methods: str = "full"
    seeds: str = "1"
    train_sizes: str = "all"
    search: tuple[str, ...] = ()

    @property
    def changed(self) -> dict[str, tuple[str, ...]]:
        """The options that differ from the usual ones: option → values."""
        changed = {}
        for option in fields(self):
            value = getattr(self, option.name)
            if value != option.default:
                changed[f"--{option.name.replace('_', '-')}"] = (value,) if isinstance(value, str) else value
        return changed


def read_defaults(given: Mapping[str, YamlValue], search: tuple[str, ...], path: Path) -> Defaults:
    """Read the defaults of a suite file; a value that its option could not have is noted as a fault.

    Args:
        given: the file's values of `OPTIONS`, each written as on the command line, or as a list.
        search: the `--search` values in the file's section `search`.
        path: of the file, for messages.
    """
    texts = {key: text for key, value in given.items() if (text := _option_text(value)) is not None}
    readers = {"methods": _check_methods, "seeds": read_seeds, "train_sizes": read_sizes}
    for key, text in texts.items():
        given[key].attempt(readers[key], text, f"{path}: {key}")
    return Defaults(**texts, search=search)


def _option_text(value: YamlValue) -> str | None:
    """Write a YAML value as an option; a list of one seed is that seed, not a number of seeds."""
    if value.node.kind != "list":
        return value.text()
    texts = [item.text() for item in value.list()]
    if None in texts:
        return None
    return ",".join(map(str, texts)) + ("," if len(texts) == 1 else "")


def _check_methods(text: str, where: str) -> None:
    for name in read_names(text, where):
        if name not in METHODS:
            raise unknown("method", name, METHODS, where=where)


def read_names(text: str, where: str) -> list[str]:
    """Read names separated by commas.

    A name that contains a comma is put in double quotes. It is understood without them if there is such a file or folder, and
    none of the name's first part.

    Raises:
        BenchError: there are no names.
    """
    if '"' in text:
        parts = [quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|([^,"]+)', text)]
    else:
        parts = text.split(",")
        for start in range(len(parts)):
            for end in range(len(parts), start + 1, -1):
                joined = ",".join(parts[start:end])
                if _exists(joined) and not _exists(parts[start]):
                    parts[start:end] = [joined]
                    break
    names = [part.strip() for part in parts if part.strip()]
    if not names:
        raise BenchError(f"{where} is empty; name one or more, or all")
    return names


def _exists(reference: str) -> bool:
    """Whether a reference, with or without a family in front, is the path of something."""
    family, colon, path = reference.partition(":")
    paths = [reference, path] if colon and "," not in family else [reference]
    return any(os.path.exists(os.path.expanduser(path.strip())) for path in paths if path.strip())


def join_names(names: Iterable[str]) -> str:
    """Write names as `read_names` reads them."""
    return ",".join(f'"{name}"' if "," in name else name for name in names)


def read_seeds(text: str, where: str = "--seeds") -> list[int]:
    """Read a number of seeds (3 means 0, 1, 2), or seeds separated by commas (`3,` is the single seed 3).

    Raises:
        BenchError: anything else.
    """
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BenchError(f"{where} {text}: must be a number of seeds (3) or seeds with commas (0,1,2)") from None
    if "," not in text:
        numbers = list(range(numbers[0])) if numbers else []
    if not numbers or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise BenchError(f"{where} {text}: must be 1 or more, or different seeds of 0 and above")
    if max(numbers) >= SEARCH_SEED:
        raise BenchError(f"{where} {text}: must be below {SEARCH_SEED}; seeds from there on belong to searches")
    return numbers


def read_sizes(text: str, where: str = "--train-sizes") -> Sizes:
    """Read numbers of training rows separated by commas; all rows (None) come last.

    Raises:
        BenchError: anything else.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    sizes = tuple(None if part == "all" else int(part) if part.isdecimal() else 0 for part in parts)
    if not sizes or len(set(sizes)) < len(sizes) or any(size is not None and size < SMALLEST for size in sizes):
        raise BenchError(
            f"{where} {text}: must be different numbers of rows, {SMALLEST} or more, or all, with commas (100,1000,all)"
        )
    return tuple(sorted(sizes, key=lambda size: (size is None, size or 0)))


def read_settings(texts: Iterable[str]) -> dict[str, str]:
    """Read `--set NAME=VALUE` options: recipe field → value. Names may be short (`lr`) and have a prefix (`recipe.lr`).

    Raises:
        BenchError: no `=`, a name that no field has, or two names of one field.
    """
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise BenchError(f"--set {text}: must be NAME=VALUE, such as lr=3e-5")
        values[name.strip()] = value.strip()
    return full_names(values)


def full_names(settings: Mapping[str, str]) -> dict[str, str]:
    """Replace the names in settings by those of the recipe's fields.

    Raises:
        BenchError: a name that no field has, or two names of one field.
    """
    values: dict[str, str] = {}
    for name, value in settings.items():
        field = full_name(name, f"--set {name}={value}")
        if field in values:
            raise BenchError(f"--set {name}={value}: {field} is also set to {values[field]}; leave one of the two out")
        values[field] = value
    return values
