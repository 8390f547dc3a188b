"""What a run takes where its command line says nothing, and settings that would change nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from harness.baselines.choose import is_baseline
from harness.cell import SEARCH_SEED
from harness.errors import BenchError, unknown
from harness.methods import METHODS, inapplicable_fields
from harness.model import Checkpoint
from harness.recipe import full_name
from harness.train_rows import Sizes
from harness.yaml_values import YamlValue

# The settings of a command line: what they change, and those that would change nothing.


def reject_foreign(settings: Mapping[str, str], methods: Sequence[str]) -> None:
    """A setting that none of the methods reads would change nothing, silently.

    Raises:
        BenchError: there is one.
    """
    for name in settings:
        if all(name in inapplicable_fields(method) for method in methods):
            owner = next(method.name for method in METHODS.values() if name in method.fields)
            raise BenchError(
                f"--set recipe.{name}={settings[name]}: only method {owner} reads it, and the methods are "
                f"{', '.join(methods)}; add --methods {owner}, or leave it out"
            )


def recipe_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Recipe field → its value, of settings whose names may be short (`lr`) and have a prefix (`recipe.lr`).

    Raises:
        BenchError: a name that no field has, or two names of one field.
    """
    found: dict[str, str] = {}
    for name, value in settings.items():
        field = full_name(name, f"--set {name}={value}")
        if field in found:
            raise BenchError(f"--set {name}={value}: {field} is also set to {found[field]}; leave one of the two out")
        found[field] = value
    return found


def reject_for_baselines(settings: Mapping[str, str], named: Collection[Checkpoint]) -> None:
    """A setting would change nothing, silently, where there is nothing but baselines.

    Raises:
        BenchError: it is so.
    """
    if settings and all(is_baseline(one) for one in named):
        name, value = next(iter(settings.items()))
        raise BenchError(
            f"--set recipe.{name}={value}: baselines have no recipe, and --models names nothing else; "
            "leave it out, or name a model"
        )


# What a run takes where its command line says nothing: the suite's `methods`, `seeds`, `train_sizes` and `search`. They are read
# like the options with these names, and wrong ones get the same messages.


OPTIONS = ("methods", "seeds", "train_sizes")  # keys of a suite that stand for options; the section `search` does so too
SMALLEST = 2  # training rows: one alone is of one class


@dataclass(frozen=True)
class Defaults:
    """The values as the command line has them; without a suite that says otherwise, these."""

    methods: str = "full"
    seeds: str = "1"
    train_sizes: str = "all"
    search: tuple[str, ...] = ()

    @property
    def changed(self) -> dict[str, tuple[str, ...]]:
        """Option → its values, where they are not the usual ones."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        found = {name: (value,) if isinstance(value, str) else value for name, value in given.items()}
        return {f"--{name.replace('_', '-')}": values for name, values in found.items()}


def read_defaults(given: Mapping[str, YamlValue], search: tuple[str, ...], path: Path) -> Defaults:
    """Those of a suite file; a value that its option could not have is noted as a fault.

    Args:
        given: the file's values of `OPTIONS`; each is written as the option has it, or as a list.
        search: the values of `--search` that the file's section `search` holds.
        path: of the file, for messages.
    """
    texts = {key: text for key, value in given.items() if (text := _text(value)) is not None}
    readers = {"methods": _read_methods, "seeds": read_seeds, "train_sizes": read_sizes}
    for key, text in texts.items():
        given[key].attempt(readers[key], text, f"{path}: {key}")
    return Defaults(**texts, search=search)


def _read_methods(text: str, where: str) -> None:
    for name in read_names(text, where):
        if name not in METHODS:
            raise unknown("method", name, METHODS, where=where)


def read_names(text: str, where: str) -> list[str]:
    """What stands between the commas of an option.

    A name with a comma in it stands in double quotes; without them it is understood if there is such a file or folder, and
    none that is called as its first part.

    Raises:
        BenchError: nothing does.
    """
    if '"' in text:
        parts = [quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|([^,"]+)', text)]
    else:
        parts = text.split(",")
        for start in range(len(parts)):
            for end in range(len(parts), start + 1, -1):
                if _exists(",".join(parts[start:end])) and not _exists(parts[start]):
                    parts[start:end] = [",".join(parts[start:end])]
                    break
    found = [name.strip() for name in parts if name.strip()]
    if not found:
        raise BenchError(f"{where} is empty; name one or more, or all")
    return found


def _exists(reference: str) -> bool:
    """Whether a reference, with or without a family in front, is the path of something."""
    family, colon, path = reference.partition(":")
    paths = [reference, path] if colon and "," not in family else [reference]
    return any(os.path.exists(os.path.expanduser(path.strip())) for path in paths if path.strip())


def joined(names: Iterable[str]) -> str:
    """Names as `read_names` reads them."""
    return ",".join(f'"{name}"' if "," in name else name for name in names)


def read_seeds(text: str, where: str = "--seeds") -> list[int]:
    """A number of seeds (3 means 0, 1, 2), or the seeds themselves with commas between (3, is the seed 3 alone).

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
    """Numbers of training rows with commas between, all rows (None) last.

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


def _text(value: YamlValue) -> str | None:
    """A value of YAML as the command line has it; a list of one seed is that seed, and no number of seeds."""
    if value.node.kind != "list":
        return value.text()
    texts = [one.text() for one in value.list()]
    if None in texts:
        return None
    return ",".join(map(str, texts)) + ("," if len(texts) == 1 else "")
