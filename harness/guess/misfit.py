"""Errors where no family fits: what is there, what would do, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.folder import ENDINGS
from harness.data.readers import READERS
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.proposal import find_columns


def no_format(
    file: Path, kinds: Sequence[str], valid: Sequence[str], families: Sequence[TaskFamily], where: str
) -> BenchError:
    """A file of no format that would do.

    Args:
        kinds: the formats that it may have.
        valid: those that would do.
    """
    columns = "; nor ".join(" or ".join(family.columns) for family in families)
    why = f"stands for {', '.join(kinds)}, where there is no {columns}" if kinds else "is unknown"
    endings = ", ".join(ending for ending, formats in ENDINGS.items() if set(formats) & set(valid))
    return BenchError(
        f"{where}: the ending {file.suffix!r} {why}; valid: {endings}; for another one write a task file "
        f"(bench task new) with data: {{format: FORMAT, files: {file.name}}}, FORMAT being one of {', '.join(READERS)}"
    )


def no_columns(
    row: Mapping[str, Any], format: str, file: Path, families: Sequence[TaskFamily], where: str
) -> BenchError:
    """A table whose columns have no usual names."""
    shown = ", ".join(title if len(title) <= 30 else title[:30] + "…" for title in map(str, row))
    if len(families) > 1:
        needs = "; ".join(f"{family.name}: {', '.join(family.columns)}" for family in families)
        return BenchError(
            f"{where}: its columns ({shown}) are not those of {needs}; name them in a task file (bench task new NAME)"
        )
    (family,) = families
    missing = [name for name in family.columns if not find_columns(row, family.usual_names, [name])]
    lacking = next(iter(missing), next(iter(family.columns)))
    header = ", header: false" if format in ("csv", "tsv") else ""
    example = ", ".join(f"{name}: {number}" for number, name in enumerate(family.columns))
    hint = " (no header? count the columns from 0)" if header else ""
    return BenchError(
        f"{where}: none of its columns ({shown}) is called {' or '.join([lacking, *family.usual_names.get(lacking, ())][:8])}; "
        f"write a task file (bench task new) with data: {{format: {format}{header}, files: {file.name}}} and "
        f"columns: {{{example}}}{hint}, or rename one"
    )
