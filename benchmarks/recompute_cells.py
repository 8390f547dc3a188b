"""The figures of single records, of entries and of columns once more. Imports nothing of harness."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from recompute_board import Board, Cells, Record
from recompute_metrics import NotKnown, metrics, rows, scale
from recompute_slices import check_entry, check_slices
from recompute_sure import Draws, holm, p_of, p_range, prior_of
from scipy import stats


def check_record(board: Board, record: Record) -> None:
    """A record's score and metrics, from its predictions."""
    lines, check, name = board.predictions(record), board.check, record["id"]
    if lines is None:
        check.left_out["records without predictions"] += 1
        return
    try:
        found = metrics(record, lines)
        check.same(f"{name}: score", record["score"], found[record["primary_metric"]] * scale(record))
        for metric, value in found.items():
            check.same(f"{name}: {metric}", record["metrics"]["test"].get(metric), value)
        for phenomenon, part in (record["metrics"].get("phenomena") or {}).items():
            some = [line for line in lines if line.get("phenomenon") == phenomenon]
            value = metrics(record, some)[record["primary_metric"]] * scale(record)
            check.same(f"{name}: {phenomenon}", part["score"], value)
    except NotKnown as error:
        check.left_out[f"scores of {error}"] += 1


def check_cell(board: Board, row: dict[str, Any], column: dict[str, Any], found: dict[int, Record]) -> None:
    """An entry's scores, mean, deviation, metrics, costs and interval."""
    entry, check, where = row["entries"][column["title"]], board.check, f"{row['title']}, {column['title']}"
    scores = {str(seed): record["score"] for seed, record in sorted(found.items())}
    check.same(f"{where}: seeds", sorted(entry["scores"]), sorted(scores))
    for seed, score in scores.items():
        check.same(f"{where}: seed {seed}", entry["scores"].get(seed), score)
    values = np.array(list(scores.values()))
    check.same(f"{where}: mean", entry["mean"], float(values.mean()) if len(values) else None)
    check.same(f"{where}: sd", entry["sd"], float(values.std(ddof=1)) if len(values) > 1 else None)
    for name, value in entry["metrics"].items():
        known = [record["metrics"]["test"][name] for record in found.values() if name in record["metrics"]["test"]]
        check.same(f"{where}: {name}", value, float(np.mean(known)))
    own = [check_slices(board, record) for record in found.values()]
    check_entry(board, where, entry, column, own)
    costs = [record["cost"] for record in found.values()]
    for name, function in (("train_seconds", np.mean), ("peak_memory_bytes", max)):
        known = [cost[name] for cost in costs if cost.get(name) is not None]
        if name == "train_seconds":  # the search for the recipe counts
            known = [spent + (cost.get("search_seconds") or 0) for spent, cost in zip(known, costs, strict=True)]
        check.same(f"{where}: {name}", entry[name], float(function(known)) if known else None)
    if entry["standing"]:
        draw(board, row, column, found)
        drawn = board.drawn[column["title"]].get(row["title"])
        if drawn is not None:
            each, many = (np.array([drawn[seed][part] for seed in sorted(drawn)]) for part in (0, 1))
            low, high = entry["standing"]["low"], entry["standing"]["high"]
            mean = float(each.mean())
            half = max(mean - low, high - mean)  # where a score's range cuts it off, it has a longer side
            check.same(f"{where}: lower end", low, max(0.0, mean - half) if many.min() >= 0 else mean - half)
            check.same(f"{where}: upper end", high, min(100.0, mean + half) if many.max() <= 100 else mean + half)
            prior = prior_of(board.scores(column["title"]), (row["title"],))
            count = board.draws[column["title"]].rows
            beyond = p_of(half, each, many, count, prior)
            exact = 100 * float(stats.beta.ppf(0.975, 1, count))  # what was seen in none of the rows (Clopper & Pearson 1934)
            if abs(half - exact) < 1e-6:  # the resamples alone would give a narrower one
                check.inside(f"{where}: what lies outside of the exact interval", beyond[0], 0.0, 0.05)
            elif (low, high) != (0.0, 100.0):
                check.inside(f"{where}: what lies outside of the interval", 0.05, *beyond)


def draw(board: Board, row: dict[str, Any], column: dict[str, Any], found: dict[int, Record]) -> None:
    """Resample the rows of a cell's records."""
    drawn = {}
    for seed, record in found.items():
        lines = board.predictions(record)
        try:
            counts, score = rows(record, lines or [])
        except NotKnown as error:
            board.check.left_out[f"intervals of {error}"] += 1
            return
        if column["title"] not in board.draws:
            board.draws[column["title"]] = Draws(len(lines))
        drawn[seed] = (float(score(counts.sum(axis=0))), board.draws[column["title"]].of(counts, score))
    board.drawn[column["title"]][row["title"]] = drawn


def check_letters(board: Board) -> None:
    """Letters of the columns: Holm's adjustment is over all pairs of the board."""
    named, ranges = [], []
    for title, column in board.drawn.items():
        for one, other in combinations(sorted(column), 2):
            if seeds := sorted(column[one].keys() & column[other].keys()):
                gaps = [np.array([column[one][s][k] - column[other][s][k] for s in seeds]) for k in (0, 1)]
                prior = prior_of(board.scores(title), (one, other))
                ranges.append(p_range(*gaps, board.draws[title].rows, prior))
                named.append((title, one, other))
    low, high = (holm([pair[end] for pair in ranges]) for end in (0, 1))
    for (title, one, other), p in zip(named, zip(low, high, strict=True), strict=True):
        letters = tuple(board.rows[name]["entries"][title]["standing"]["letters"] for name in (one, other))
        board.check.grouped(f"{title}: {one} and {other}", letters, p)


def check_ranks(board: Board) -> None:
    """The ranks that a row may have: what it shares no letter with is above or below it."""
    for title in board.columns:
        rows = {name: row["entries"][title] for name, row in board.rows.items() if title in row["entries"]}
        sure = {name: entry for name, entry in rows.items() if (entry["standing"] or {}).get("ranks")}
        for name, entry in sure.items():
            apart = [one["mean"] for one in sure.values() if not _letters(one) & _letters(entry)]
            expected = [
                1 + sum(mean > entry["mean"] for mean in apart),
                len(sure) - sum(mean < entry["mean"] for mean in apart),
            ]
            board.check.same(f"{name}, {title}: ranks", entry["standing"]["ranks"], expected)


def _letters(entry: dict[str, Any]) -> set[str]:
    letters = entry["standing"]["letters"]
    return set(letters.split(".") if "." in letters else letters)


def check_gains(board: Board, cells: Cells) -> None:
    """What pre-training is worth."""
    for gain in board.shown["gains"]:
        sides = [cells.get((title, gain["task"])) for title in (gain["model"], f"{gain['model']} · scratch")]
        if None not in sides:
            seeds = sorted(sides[0].keys() & sides[1].keys())
            gaps = np.array([sides[0][seed]["score"] - sides[1][seed]["score"] for seed in seeds])
            where = f"gain of {gain['model']}, {gain['task']}"
            board.check.same(f"{where}: mean", gain["mean"], float(gaps.mean()))
            board.check.same(f"{where}: sd", gain["sd"], float(gaps.std(ddof=1)) if len(gaps) > 1 else None)


def check_curves(board: Board) -> None:
    """Means over seeds by the number of training rows."""
    for curve in board.shown["curves"]:
        for line in curve["lines"]:
            if " (" in curve["task"] + line["model"]:
                board.check.left_out["lines of learning curves of several data, recipes or weights"] += 1
                continue
            for size, point in zip(curve["sizes"], line["points"], strict=True):
                key = (curve["task"], line["model"], line["method"], size["train_rows"])
                found = [r for r in board.records if _curve_key(r) == key and r["status"] == "ok"]
                scores = np.array([record["score"] for record in found])
                where = f"learning curve of {line['title']}, {curve['task']}, {size['train_rows'] or 'all'} rows"
                board.check.same(f"{where}: seeds", point["seeds"] if point else 0, len(scores))
                if point and len(scores):
                    board.check.same(f"{where}: mean", point["mean"], float(scores.mean()))
                    board.check.same(
                        f"{where}: sd", point["sd"], float(scores.std(ddof=1)) if len(scores) > 1 else None
                    )


def _curve_key(record: Record) -> tuple[Any, ...]:
    task = record["task"]
    return task["name"], record["model"]["name"], record["method"], task.get("train_rows")
