"""Are the leaderboard's figures right? Everything once more, by a script that shares no line with the harness.

    python benchmarks/recompute.py --results results
    python benchmarks/recompute.py --results results --board board.json    # of bench leaderboard --format json

Reads record.json and predictions.jsonl with json, numpy, scipy, scikit-learn, seqeval and sacrebleu, computes the figures of
`bench leaderboard --format json`, and ends with status 1 where one differs. What is drawn (intervals and groups) must agree
as far as two generators do. Not recomputed: the trivial answers' scores (they need the training rows), what others have
published, notes and commands; rows whose title has brackets, for several recipes or weights share a name there; metrics that
`recompute_metrics.py` has no function for. What was left out is told.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from recompute_board import Board, Cells, Check
from recompute_cells import check_cell, check_curves, check_gains, check_letters, check_ranks, check_record
from recompute_overall import check_overall


def recompute(shown: dict[str, Any], folder: Path) -> Check:
    """All of the board."""
    check = Check()
    board = Board(shown, folder, check)
    cells: Cells = {}
    for row in shown["rows"]:
        for title, entry in row["entries"].items():
            found = board.cell(row, board.columns[title])
            if found is None:
                check.left_out["entries of several recipes, weights or records of a seed"] += 1
                continue
            cells[row["title"], title] = found
            for record in found.values():
                check_record(board, record)
            if found or entry["scores"]:
                check_cell(board, row, board.columns[title], found)
        means = [row["entries"].get(title, {}).get("mean") for title in board.columns]
        check.same(f"{row['title']}: average", row["average"], None if None in means else float(np.mean(means)))
    for title, column in board.columns.items():
        check.same(f"{title}: trivial score", column["trivial"], board.trivial(title, cells))
    check_letters(board)
    check_ranks(board)
    check_gains(board, cells)
    check_curves(board)
    check_overall(board, cells)
    return check


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--board", type=Path, help="what `bench leaderboard --format json` wrote; default: it is run")
    arguments = parser.parse_args()
    if arguments.board:
        text = arguments.board.read_text(encoding="utf-8")
    else:
        command = [
            sys.executable,
            "-m",
            "harness",
            "leaderboard",
            "--results",
            str(arguments.results),
            "--format",
            "json",
        ]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    check = recompute(json.loads(text), arguments.results)
    for line in check.different:
        print(line)
    for what, number in check.left_out.items():
        print(f"not recomputed: {what} ({number})")
    print(f"{check.compared:,} figures recomputed, {len(check.different)} differ")
    sys.exit(bool(check.different) or not check.compared)


if __name__ == "__main__":
    main()
