"""`bench task new`: from an argument to the text of a task file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness import registry
from harness.check.report import examine
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.proposal import Proposal
from harness.scaffold.files import Found, find
from harness.scaffold.sniff import ending
from harness.scaffold.write import name_of, task_text, template
from harness.task import Task


def is_data(argument: str) -> bool:
    """Whether an argument means data (a path that exists) and not the name of a task to be filled in.

    Raises:
        BenchError: it looks like a path, but nothing is there.
    """
    path = Path(argument).expanduser()
    if path.exists():
        return True
    if "/" in argument or ending(path) is not None:
        raise BenchError(
            f"{argument}: no such file or folder; give data that are there, or a plain name for a template"
        )
    return False


def from_data(path: Path, family: str | None, output: Path | None) -> tuple[str, Path]:
    """The text of a task file for a file or folder, and where it goes: `NAME.yaml` in the current folder by default.

    Raises:
        BenchError: data that cannot be read, or that no family (or not the one asked for) fits.
    """
    found = find(path)
    if not found.rows:
        raise BenchError(f"{path}: no rows; give a file with data")
    chosen, proposal, others = _choose(path, found, family)
    name = name_of(path)
    output = output or Path(f"{name}.yaml")
    files = {split: _plain(value) for split, value in found.files.items()}
    task = Task(name, chosen.name, FileSource(found.kind.format, files, found.kind.options), columns=proposal.columns, options=proposal.options)  # fmt: skip
    report, data = examine(task, chosen)
    classes = data is not None and chosen.stratum(data.splits["train"][0]) is not None
    return task_text(name, found, chosen, others, proposal, report, classes, output), output


def from_name(name: str, family: str | None, output: Path | None) -> tuple[str, Path]:
    """A template with every key, and where it goes."""
    families = registry.families()
    chosen = registry.family(family) if family else next(iter(families.values()))
    return template(name, chosen, families), output or Path(f"{name}.yaml")


def _choose(path: Path, found: Found, wanted: str | None) -> tuple[TaskFamily, Proposal, list[str]]:
    """The family that knows the most of the data's columns; the others that would do."""
    families = [registry.family(wanted)] if wanted else list(registry.families().values())
    fitting: list[tuple[TaskFamily, Proposal]] = []
    for family in families:
        proposal = family.recognise(found.rows)
        if proposal is not None:
            fitting.append((family, proposal))
    columns = ", ".join(str(name) for name in found.rows[0])
    if not fitting:
        needs = "; ".join(f"{family.name}: {', '.join(family.columns)}" for family in families)
        raise BenchError(
            f"{path}: its columns ({columns}) are not those of {needs}; name them in a task file (bench task new NAME)"
        )
    fitting.sort(key=lambda pair: -len(pair[1].columns))  # stable: among equals the first registered
    return *fitting[0], [family.name for family, _ in fitting[1:]]


def _plain(value: Path | list[Path] | Mapping[str, Path]) -> str | list[str] | dict[str, str]:
    if isinstance(value, Mapping):
        return {name: str(file) for name, file in value.items()}
    return [str(file) for file in value] if isinstance(value, list) else str(value)
