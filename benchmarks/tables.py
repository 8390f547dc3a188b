"""From the results of single runs to medians, ratios and Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

MIB = 2**20
MEDIANS = ("wall_seconds", "processor_seconds", "train_seconds", "evaluate_seconds", "peak_memory_bytes")


def summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One side of one task: medians over its runs, and the scores of all of them."""
    first = results[0]
    return {
        "task": first["task"], "model": first["model"], "side": first["side"], "precision": first["precision_used"],
        "seeds": [result["seed"] for result in results], "scores": [result["score"] for result in results],
        "validations": sorted({result["validations"] for result in results}),
        **{name: statistics.median(result[name] for result in results) for name in MEDIANS},
    }  # fmt: skip


def ratios(ours: dict[str, Any], peer: dict[str, Any]) -> dict[str, float]:
    """How many times a peer's cost is ours, and our mean score minus the peer's."""
    costs = {name: peer[name] / ours[name] for name in MEDIANS if ours[name]}
    return {**costs, "score_difference": statistics.mean(ours["scores"]) - statistics.mean(peer["scores"])}


def spread(scores: Sequence[float]) -> str:
    """Mean ± standard deviation over seeds."""
    mean = f"{statistics.mean(scores):.2f}"
    return f"{mean} ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else mean


def sides_table(summaries: Iterable[dict[str, Any]]) -> str:
    """What each side took."""
    rows = [
        [
            side["task"], side["model"], side["side"], side["precision"], f"{side['wall_seconds']:.1f}",
            f"{side['processor_seconds']:.1f}", f"{side['train_seconds']:.1f}", f"{side['evaluate_seconds']:.1f}",
            f"{side['peak_memory_bytes'] / MIB:.0f}", spread(side["scores"]), str(len(side["scores"])),
        ]
        for side in summaries
    ]  # fmt: skip
    heads = (
        "task", "model", "side", "precision", "wall s", "processor s", "train s", "evaluate s", "peak MiB", "score", "runs",
    )  # fmt: skip
    return markdown(heads, rows)


def ratios_table(summaries: Sequence[dict[str, Any]]) -> str:
    """How many times as long each peer takes as the harness."""
    rows = []
    for peer in summaries:
        ours = next((one for one in summaries if one["side"] == "harness" and key(one) == key(peer)), None)
        if ours is None or peer is ours:
            continue
        times = ratios(ours, peer)
        rows.append(
            [
                peer["task"], peer["model"], peer["side"], f"{times['wall_seconds']:.2f}×",
                f"{times['processor_seconds']:.2f}×", f"{times['train_seconds']:.2f}×",
                f"{times['evaluate_seconds']:.2f}×", f"{times['peak_memory_bytes']:.2f}×",
                f"{times['score_difference']:+.2f}",
            ]
        )  # fmt: skip
    heads = (
        "task", "model", "peer ÷ harness", "wall", "processor", "train", "evaluate", "peak memory", "score: harness − peer",
    )  # fmt: skip
    return markdown(heads, rows)


def key(side: dict[str, Any]) -> tuple[str, str]:
    """What is compared with each other."""
    return side["task"], side["model"]


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"
