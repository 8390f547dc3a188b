"""The figures over tasks once more, from scores and draws. Imports nothing of harness."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from recompute_board import Board, Cells, Check
from recompute_sure import OFF, T, holm, redrawn
from scipy import stats

Range = tuple[float, float]


def per_task(scores: list[list[list[float]]], trivial: list[float | None]) -> dict[str, Any]:
    """[tasks, models] of ranks, wins and normalised scores (of the tasks that have such a scale).

    Args:
        scores: of tasks, of models, of seeds.
        trivial: of tasks.
    """
    means = np.array([[np.mean(seeds) for seeds in models] for models in scores])
    ranks = np.array([stats.rankdata(-np.round(row, 9)) for row in means])
    wins = np.array([[_wins(models, m) for m in range(len(models))] for models in scores])
    scaled = [t for t, low in enumerate(trivial) if low is not None and means[t].max() - low >= 1]
    normal = np.array([(means[t] - trivial[t]) / (means[t].max() - trivial[t]) for t in scaled])
    return {"rank": ranks, "wins": wins, "score": normal, "scaled": scaled, "means": means}


def _wins(models: list[list[float]], m: int) -> float:
    """The mean over the others of the share of pairs of seeds in which m is higher, by Mann and Whitney's U."""
    ours = np.round(models[m], 9)
    others = [np.round(other, 9) for j, other in enumerate(models) if j != m]
    return float(np.mean([stats.mannwhitneyu(ours, one).statistic / len(ours) / len(one) for one in others]))


def friedman(ranks: Any) -> tuple[float, float, float] | None:
    """Statistic, p, and Nemenyi's critical difference; None where there is no power."""
    tasks, models = ranks.shape
    if models < 3 or tasks < 5 or np.all(ranks == ranks[0, 0]):
        return None
    found = stats.friedmanchisquare(*ranks.T)
    quantile = stats.studentized_range.ppf(0.95, models, np.inf)
    return found.statistic, found.pvalue, quantile * np.sqrt(models * (models + 1) / (12 * tasks))


def within(drawn: list[list[dict[int, Any]]], found: dict[str, Any], trivial: list[float | None]) -> dict[str, Any]:
    """Variances of average ranks, and covariances of normalised scores, from seeds and rows.

    Args:
        drawn: of tasks, of models: seed → [resamples] of scores.
    """
    many = []
    for task in drawn:
        seeds = {tuple(sorted(one)) for one in task}
        # One draw of seeds for all models that have the same ones, as they are paired.
        state = {own: number for number, own in enumerate(sorted(seeds))}
        many.append(np.array([redrawn(one, np.random.default_rng([7, state[tuple(sorted(one))]])) for one in task]))
    rank = sum(stats.rankdata(-np.round(one, 9), axis=0).var(axis=1, ddof=1) for one in many) / len(many) ** 2
    gains = [many[t] - trivial[t] for t in found["scaled"]]
    score = sum(np.cov(one / np.maximum(one.max(axis=0), 1.0)) for one in gains) / max(1, len(gains)) ** 2
    return {"rank": rank, "score": score}


def interval(values: Any, variance: float, neutral: float, bounds: Range) -> tuple[Range, Range]:
    """Least and most of the low end, and of the high end."""
    weight = len(values) + 0.5
    centre = (values.sum() + 0.5 * neutral) / weight
    squares = ((values - centre) ** 2).sum() + 0.5 * (neutral - centre) ** 2
    half = [
        stats.t.ppf(T, len(values) - 1) * np.sqrt(max(squares / (weight - 1) / weight, variance * off))
        for off in (1 - OFF, 1 + OFF)
    ]
    clip = [float(np.clip(centre + side * one, *bounds)) for side in (-1, 1) for one in half]
    return (min(clip[:2]), max(clip[:2])), (min(clip[2:]), max(clip[2:]))


def pairs(normal: Any, covariance: Any) -> dict[tuple[int, int], Range]:
    """Pair of models → least and most that its adjusted p value may be."""
    found = {}
    for one, other in combinations(range(normal.shape[1]), 2):
        gaps = normal[:, one] - normal[:, other]
        inner = covariance[one, one] + covariance[other, other] - 2 * covariance[one, other]
        errors = [np.sqrt(max(gaps.var(ddof=1) / len(gaps), inner * off)) for off in (1 - OFF, 1 + OFF)]
        found[one, other] = tuple(_p(float(gaps.mean()), float(error), len(gaps) - 1) for error in errors)
    low, high = (holm([p[end] for p in found.values()]) for end in (0, 1))
    return dict(zip(found, zip(low, high, strict=True), strict=True))


def _p(value: float, error: float, degrees: int) -> float:
    return float(2 * stats.t.sf(abs(value) / error, degrees)) if error else float(value == 0)


def check_overall(board: Board, cells: Cells) -> None:
    """Ranks, normalised scores, wins, Friedman's test and groups over all tasks."""
    shown, check = board.shown.get("overall"), board.check
    if not shown or not shown["rows"]:
        return
    names, tasks = [row["title"] for row in shown["rows"]], shown["tasks"]
    check.same("over all tasks: the tasks", sorted(tasks), sorted(board.columns))
    if any((name, task) not in cells for name in names for task in tasks):
        check.left_out["figures over all tasks"] += 1
        return
    whole = [title for title in board.rows if all(cells.get((title, task)) for task in board.columns)]
    check.same("over all tasks: the rows", sorted(names), sorted(whole))
    scores = [[[r["score"] for r in cells[name, task].values()] for name in names] for task in tasks]
    trivial = [board.trivial(task, cells) for task in tasks]
    found = per_task(scores, trivial)
    check.same("normalised over", shown["scaled"], [tasks[t] for t in found["scaled"]])
    for kind, key in (("rank", "rank"), ("score", "score"), ("wins", "wins")):
        for m, row in enumerate(shown["rows"]):
            expected = float(found[key][:, m].mean()) if len(found[key]) else None
            check.same(f"{row['title']}: {kind} over all tasks", row[kind] and row[kind]["value"], expected)
    test = friedman(found["rank"])
    check.same("Friedman's test is there", shown["friedman"] is not None, test is not None)
    if test and shown["friedman"]:
        for name, value in zip(("statistic", "p", "critical_difference"), test, strict=True):
            check.same(f"Friedman: {name}", shown["friedman"][name], float(value))
    drawn = [[board.drawn[task].get(name) for name in names] for task in tasks]
    if shown["rows"][0]["rank"]["low"] is None or any(one is None for task in drawn for one in task):
        check.left_out["intervals and groups over all tasks"] += 1
        return
    check_sure(
        shown["rows"], found, [[{s: d[1] for s, d in one.items()} for one in task] for task in drawn], trivial, check
    )


def check_sure(shown: Any, found: Any, drawn: Any, trivial: Any, check: Check) -> None:
    """Intervals and groups over all tasks."""
    inner, models = within(drawn, found, trivial), len(shown)
    for m, row in enumerate(shown):
        ends = {
            "rank": (inner["rank"][m], (models + 1) / 2, (1, models)),
            "wins": (inner["rank"][m] / (models - 1) ** 2, 0.5, (0, 1)),
        }
        if len(found["scaled"]) > 1:
            ends["score"] = (inner["score"][m, m], found["score"].mean(), (-np.inf, 1))
        for kind, parts in ends.items():
            low, high = interval(found[kind][:, m], *parts)
            check.inside(f"{row['title']}: low end of {kind} over all tasks", row[kind]["low"], *low)
            check.inside(f"{row['title']}: high end of {kind} over all tasks", row[kind]["high"], *high)
    if len(found["scaled"]) > 1:
        for (one, other), p in pairs(found["score"], inner["score"]).items():
            letters = (shown[one]["letters"], shown[other]["letters"])
            check.grouped(f"over all tasks: {shown[one]['title']} and {shown[other]['title']}", letters, p)
