"""One record as `bench show` prints it: facts, metrics, trials of its search, costs and some predictions."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.cell import is_trial
from harness.grouping.costs import NONE, count, duration, memory
from harness.grouping.recipe_variants import search_summary
from harness.predictions import Slices
from harness.recipe import trained_recipe
from harness.report.board_text import environment, recipe, score, short_fingerprint, split_counts
from harness.report.entries import SMALL, slices_of
from harness.report.row_texts import is_right
from harness.report.slice_tables import SMALL_MARK, kind_heading
from harness.safe_text import short
from harness.store import Record
from harness.trouble import trouble

MAX_EXAMPLES = 3  # right predictions, and as many wrong ones
MAX_LENGTH = 160  # characters of a prediction or reference


def example_table(predictions: Sequence[Mapping[str, Any]], texts: Mapping[str, str] | None = None, why: str = "") -> Group:
    """Return a table of the first few right and the first few wrong predictions.

    Args:
        predictions: lines with id, prediction and reference.
        texts: row id → text that the model read.
        why: why there are no texts; empty if there are.
    """
    right, wrong = [], []
    for line in predictions:
        (right if is_right(line["prediction"], line["reference"]) else wrong).append(line)
    rows = []
    for lines, mark in ((right, Text("=", style="green")), (wrong, Text("≠", style="red"))):
        for line in lines[:MAX_EXAMPLES]:
            text = [texts.get(line["id"], "")] if texts else []
            rows.append([mark, *map(_answer, (line["id"], *text, line["prediction"], line["reference"]))])
    table = _grid(("", "id", *(("text",) if texts else ()), "prediction", "reference"), rows, right=())
    notes = [f"{len(right)} of {len(predictions)} predictions equal a reference letter for letter"]
    notes += [f"no texts: {why}"] if why else []
    return Group(table, *(Text(note, style="dim") for note in notes))


def _answer(value: Any) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = value["answers"].get("text")
    answer = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return answer if len(answer) <= MAX_LENGTH else answer[: MAX_LENGTH - 1] + "…"


def trial_table(search: Mapping[str, Any]) -> RenderableType:
    """Return the trials of a search with their changed fields, best validation scores and times."""
    totals, trials = search_summary(search), search.get("trials") or ()
    fields = list(search["specification"]["fields"])
    fields += ["steps"] if any(trial.get("budget", 1) < 1 for trial in trials) else []
    rows = []
    for number, trial in enumerate(trials):
        seconds, values = trial.get("seconds"), {**trial["recipe"], "steps": f"{trial.get('budget', 1):.0%}"}
        status = "chosen" if number == search.get("winner") else "" if trial["status"] == "ok" else trial["status"]
        rows.append([
            *(str(values.get(field, NONE)) for field in fields),
            score(trial["validation"]),
            NONE if seconds is None else f"{seconds:.1f}",
            Text(status, style="green" if status == "chosen" else "dim"),
            Text(trial["id"].rpartition("--")[2], style="dim"),
        ])  # fmt: skip
    counts = f"{totals['trials']} trials on seed {search.get('seed', '?')}, {duration(totals['seconds'])} in all"
    table = _grid((*fields, "validation", "seconds", "", "trial"), rows, right=range(len(fields) + 2))
    return Group(Text(f"{' '.join(totals['arguments'])}: {counts}"), table)


def show(
    record: Record,
    predictions: Sequence[Mapping[str, Any]] = (),
    slices: Slices | None = None,
    texts: tuple[Mapping[str, str], str] = ({}, ""),
) -> RenderableType:
    """Return all facts of a record and some predictions; for a failed cell the error and its traceback.

    Args:
        record: a whole record.
        predictions: its predictions.
        slices: for an older record that does not store them.
        texts: row id → text, and why there are no texts (see `harness.report.row_texts`).
    """
    metrics, training = record.get("metrics") or {}, record.get("training") or {}
    parts: list[RenderableType] = [Text(record["id"], style="bold"), _pairs(_facts(record))]
    error = record.get("error")
    if error:
        parts += _section("Error", Text(f"{error.get('type')}: {error.get('message')}", style="red"))
        parts.append(Text(str(error.get("traceback") or "").rstrip(), style="dim"))
    if record.get("recipe"):
        parts += _section("Recipe", Text(recipe({name: [(value, ())] for name, value in trained_recipe(record).items()})))
    if record.get("fitted"):
        reasons = {name: f"{field['value']}: {field['why']}" for name, field in record["fitted"].items() if field["why"]}
        parts += _section("Why this recipe", _pairs(reasons))
    if choice := training.get("choice"):
        parts += _section("Choice", Text(", ".join(f"{name} {value}" for name, value in choice.items())))
    if record.get("search"):
        parts += _section("Search", trial_table(record["search"]))
    if metrics.get("test"):
        parts += _section("Metrics", _metrics(metrics))
    for kind, scores in slices_of(record, {record["id"]: slices or {}}).items():
        parts += _section(f"Scores by {kind_heading(kind)}", _slices(kind, scores))
    if history := training.get("history"):
        parts += _section("History", _history(history, training.get("best_step")))
    parts += _section("Cost", _pairs(_costs(record.get("cost") or {})))
    if record.get("environment"):
        parts += _section("Environment", Text(environment(record["environment"])))
    if predictions:
        parts += _section("Predictions", example_table(predictions, *texts))
    return Group(*parts)


def _facts(record: Record) -> dict[str, str]:
    model, task = record["model"], record["task"]
    trial = record.get("trial") or {}
    budget = f", trained for {trial['budget']:.0%} of its recipe's steps" if "budget" in trial else ""
    suite = f"suite {record['suite']}" if record.get("suite") else "no suite"
    part, available = task.get("train_rows"), task.get("train_rows_available")
    facts = {
        "status": record["status"],
        "purpose": f"a trial of a search{budget}: it was never tested" if is_trial(record) else "",
        "validation": score(trial["value"]) + (", pruned" if trial["pruned"] else "") if "value" in trial else "",
        "score": NONE if record.get("score") is None else f"{score(record['score'])} ({record.get('primary_metric')})",
        "trivial answer": score(record.get("trivial_score")),
        "model": ", ".join(filter(None, (model["name"], model.get("architecture"), model.get("source")))),
        "revision": model.get("revision") or "",
        "kept head": "the training went on from the head that the model brought" if model.get("keep_head") else "",
        "remote code": "Python code from the model's own repository was run" if model.get("remote_code") else "",
        "parameters": count(model["parameters"]) if model.get("parameters") else "",
        "task": f"{task['name']} ({task['family']}), version {task.get('version')}, {task.get('source')}",
        "fingerprint": short_fingerprint(task.get("fingerprint")),
        "rows": split_counts(task.get("rows")),
        "without limit": split_counts(task.get("rows_without_limit")) if task.get("limit") else "",
        "trained on": f"{part:,} of {available:,} training rows, drawn by the seed" if part and available else "",
        "splits": task.get("split_rule") or "",
        "truncated": _truncated(task),
        "method, seed": f"{record['method']}, {record['seed']}",
        "run": f"{record.get('started') or '?'} to {record.get('finished') or '?'}, {suite}",
    }
    signs = trouble(record)
    cures = ", ".join(dict.fromkeys(sign.cure for sign in signs if sign.cure))
    what = "training failed" if any(sign.failed for sign in signs) else "may have fallen short"
    facts[what] = "\n".join([*(sign.text for sign in signs), *([f"try {cures}"] if cures else [])])
    facts["on the way"] = _events(record.get("training") or {})
    facts["data warnings"] = "\n".join(task.get("warnings") or [])
    return {name: value for name, value in facts.items() if value}


def _events(training: Mapping[str, Any]) -> str:
    breaks, devices = training.get("resumed"), training.get("devices")
    events = [
        f"went on after {breaks} {'break' if breaks == 1 else 'breaks'}" if breaks else "",
        f"{training['retried']}, so run again in fp32" if training.get("retried") else "",
        f"{training['accumulation']} pieces of at most {training['micro_batch_size']} rows a step, for want of memory"
        if training.get("micro_batch_size")
        else "",
        f"trained by {devices} processes" if devices else "",
        *(training.get("notes") or []),
    ]
    return "; ".join(filter(None, events))


def _truncated(task: Mapping[str, Any]) -> str:
    rows = task.get("rows") or {}
    return ", ".join(
        f"{split} {number:,}" + (f" ({number / rows[split]:.1%})" if rows.get(split) else "")
        for split, number in (task.get("truncated") or {}).items()
        if number
    )


def _costs(cost: Mapping[str, Any]) -> dict[str, str]:
    costs = {name.removesuffix("_seconds"): duration(value) for name, value in cost.items() if name.endswith("_seconds")}
    if cost.get("phases"):
        costs["phases"] = ", ".join(f"{name} {duration(seconds)}" for name, seconds in cost["phases"].items())
    if cost.get("peak_memory_bytes"):
        costs["peak memory"] = memory(cost["peak_memory_bytes"])
    if cost.get("train_tokens"):
        costs["tokens read"] = count(cost["train_tokens"])
    if cost.get("padding_share") is not None:
        costs["padding"] = f"{cost['padding_share']:.1%}"
    return costs


def _metrics(metrics: Mapping[str, Any]) -> Table:
    """Return the metrics on validation and test and of the trivial answer; nested metrics are named `outer.inner`."""
    splits = {split: _flat(metrics[split]) for split in ("validation", "test", "trivial") if metrics.get(split)}
    names = dict.fromkeys(name for values in splits.values() for name in values)
    rows = [(name, *(_value(values.get(name)) for values in splits.values())) for name in names]
    return _grid(("metric", *splits), rows)


def _slices(kind: str, slices: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table with the rows, score and other metrics of each slice."""
    is_small = {name: (part["rows"] if part.get("rows") is not None else SMALL) < SMALL for name, part in slices.items()}
    metrics = dict.fromkeys(metric for part in slices.values() for metric in part if metric not in ("rows", "score"))
    lines = []
    for name, part in slices.items():
        rows = f"{part.get('rows', '')}" + (SMALL_MARK if is_small[name] else "")
        lines.append((short(name), rows, score(part.get("score")), *(_value(part.get(metric)) for metric in metrics)))
    rows_heading = f"rows ({SMALL_MARK} < {SMALL})" if any(is_small.values()) else "rows"
    return _grid((kind, rows_heading, "score", *metrics), lines)


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in metrics.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _value(value: Any) -> str:
    return NONE if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _history(history: Sequence[Mapping[str, float]], best: int | None) -> Table:
    lines = [
        (str(line["step"]), _value(line["loss"]), score(line["score"]), "best" if line["step"] == best else "")
        for line in history
    ]
    return _grid(("step", "loss", "validation", ""), lines)


def _section(title: str, body: RenderableType) -> list[RenderableType]:
    return [Text(f"\n{title}", style="bold cyan"), body]


def _pairs(pairs: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in pairs.items():
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _grid(
    headings: Sequence[str], rows: Sequence[Sequence[str | Text]], right: Container[int] | None = None
) -> Table:
    """Make a table; `right` are the positions of columns aligned to the right, by default all but the first."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(headings):
        is_right_aligned = number > 0 if right is None else number in right
        table.add_column(name, justify="right" if is_right_aligned else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
