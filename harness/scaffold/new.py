"""`bench task new`: from an argument to the text of a task file."""

from __future__ import annotations

from pathlib import Path

from harness import registry
from harness.check.report import examine
from harness.data.folder import formats
from harness.errors import BenchError
from harness.guess import files
from harness.guess.guess import guess
from harness.scaffold.write import task_text, template


def is_data(argument: str) -> bool:
    """Whether an argument means data that are there, and not the name of a task to be filled in.

    Raises:
        BenchError: it looks like a path, but nothing is there.
    """
    if files.is_data(argument):
        return True
    if "/" in argument or formats(Path(argument)):
        raise BenchError(
            f"{argument}: no such file or folder; give data that are there, or a plain name for a template"
        )
    return False


def from_data(path: str, family: str | None, output: Path | None) -> tuple[str, Path]:
    """The text of a task file for what a path means, and where it goes: `NAME.yaml` in the current folder by default.

    Raises:
        BenchError: data that cannot be read, or that no family (or not the one asked for) fits.
    """
    left: list[str] = []
    families = [registry.family(family)] if family else list(registry.families().values())
    best, *others = guess(path, families, path, left)
    output = output or Path(f"{best.task.name}.yaml")
    chosen = registry.family(best.task.family)
    report, data = examine(best.task, chosen)
    classes = data is not None and chosen.stratum(data.splits["train"][0]) is not None
    return task_text(best, chosen, [other.task.family for other in others], left, report, classes, output), output


def from_name(name: str, family: str | None, output: Path | None) -> tuple[str, Path]:
    """A template with every key, and where it goes."""
    families = registry.families()
    chosen = registry.family(family) if family else next(iter(families.values()))
    return template(name, chosen, families), output or Path(f"{name}.yaml")
