"""Lines that begin with their label: `LABEL:fine text` (Li and Roth 2002, TREC), `__label__NAME text` (fastText)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.data.file_layer import as_paths, read_text, split_lines
from harness.data.place import PlacedRow
from harness.errors import BenchError
from harness.safe_text import short

# The coarse label alone: what follows its colon is a finer class, for which one writes (?P<label>\S+)\s+(?P<text>.*).
PATTERN = r"(?:__label__)?(?P<label>[^:\s]+)(:\S*)?\s+(?P<text>.*)"
MARK = "__label__"  # how every label of a line begins in fastText's files


def read(
    files: Any, *, pattern: str = PATTERN, encoding: str = "utf-8-sig", report: dict[str, Any] | None = None
) -> list[dict[str, str]]:
    """One row a line, with a column for each named group of the pattern, without outer blanks. Blank lines are skipped, and
    counted as `empty_rows`.

    The report gets `finer_labels`: lines of which the default pattern leaves a finer label out, what is behind its colon. A line of
    fastText with several labels is an error.

    Args:
        pattern: a regular expression of Python for a whole line. Groups without a name give no column.
        encoding: `latin-1` for TREC's files.
    """
    compiled = _compiled(pattern, as_paths(files))
    rows, empty, finer = [], 0, 0
    for path in as_paths(files):
        for number, line in enumerate(split_lines(read_text(path, encoding)), start=1):
            if not line.strip():
                empty += 1
                continue
            match = compiled.fullmatch(line.strip())
            if match is None:
                shown = line if len(line) <= 40 else line[:40] + "…"
                raise BenchError(
                    f"{path}:{number}: {shown!r} does not match the pattern {pattern}; state another `pattern`"
                )
            labels = [word for word in line.split() if word.startswith(MARK)]
            if len(labels) > 1:
                shown = ", ".join(short(label.removeprefix(MARK)) for label in labels[:3])
                raise BenchError(
                    f"{path}:{number}: a row has several labels ({shown}); bench classifies into one: keep one {MARK}… a line"
                )
            if pattern == PATTERN and match["label"] == MARK:
                raise BenchError(f"{path}:{number}: no label behind {MARK}; write one, or delete the line")
            finer += pattern == PATTERN and len(match[2] or "") > 1
            rows.append(
                PlacedRow({name: (value or "").strip() for name, value in match.groupdict().items()}, path, number)
            )
    if report is not None:
        report.update({name: count for name, count in (("empty_rows", empty), ("finer_labels", finer)) if count})
    return rows


def _compiled(pattern: str, paths: Sequence[Path]) -> re.Pattern[str]:
    what = f"{', '.join(map(str, paths))}: pattern {pattern!r}"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise BenchError(f"{what} is no regular expression ({error}); mend it") from None
    if not compiled.groupindex:
        raise BenchError(f"{what} has no named group; write (?P<label>...) and (?P<text>...)")
    return compiled
