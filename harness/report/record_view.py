"""One record for a person, as `bench show` prints it: facts, metrics, trials of its search, costs and some predictions."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.grouping.recipe_variants import search_summary
from harness.predictions import Slices
from harness.recipe import trained_by
from harness.report import board_text as text
from harness.report.entries import SMALL, slices_of
from harness.report.row_texts import is_right
from harness.report.slice_tables import FEW, kind_heading
from harness.searched import is_trial
from harness.shown import short
from harness.store import Record
from harness.trouble import trouble

EXAMPLES = 3  # predictions of each kind, right and wrong
LONGEST_EXAMPLE = 160  # characters of a prediction or reference


def example_table(predictions: Sequence[Mapping[str, Any]], texts: Mapping[str, str] | None = None, why: str = "") -> Group:
    """The first few right and the first few wrong predictions.

    Args:
        predictions: lines with id, prediction and reference.
        texts: row id → text that the model read.
        why: why there are no texts; empty where there are.
    """
    verdicts = [(line, is_right(line["prediction"], line["reference"])) for line in predictions]
    rows = []
    for wanted, mark, style in ((True, "=", "green"), (False, "≠", "red")):
        for line in [line for line, equal in verdicts if equal == wanted][:EXAMPLES]:
            read = [texts.get(line["id"], "")] if texts else []
            rows.append([Text(mark, style=style), *map(_answer, (line["id"], *read, line["prediction"], line["reference"]))])
    table = _grid(("", "id", *(("text",) if texts else ()), "prediction", "reference"), rows, right=())
    equal = sum(equal for _, equal in verdicts)
    notes = [f"{equal} of {len(verdicts)} predictions equal a reference letter for letter"]
    notes += [f"no texts: {why}"] if why else []
    return Group(table, *(Text(note, style="dim") for note in notes))


def _answer(value: Any) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("answers"), Mapping):
        value = value["answers"].get("text")
    answer = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return answer if len(answer) <= LONGEST_EXAMPLE else answer[: LONGEST_EXAMPLE - 1] + "…"


def trial_table(recorded: Mapping[str, Any]) -> RenderableType:
    """The `search` of a record: each trial with its changed fields, best validation score and time, the winner marked."""
    totals, trials = search_summary(recorded), recorded.get("trials") or ()
    fields = [*recorded["specification"]["fields"], *(["steps"] if any(trial.get("budget", 1) < 1 for trial in trials) else [])]
    rows = []
    for number, trial in enumerate(trials):
        seconds, values = trial.get("seconds"), {**trial["recipe"], "steps": f"{trial.get('budget', 1):.0%}"}
        how = "chosen" if number == recorded.get("winner") else "" if trial["status"] == "ok" else trial["status"]
        rows.append([
            *(str(values.get(field, text.NONE)) for field in fields),
            text.score(trial["validation"]),
            text.NONE if seconds is None else f"{seconds:.1f}",
            Text(how, style="green" if how == "chosen" else "dim"),
            Text(trial["id"].rpartition("--")[2], style="dim"),
        ])  # fmt: skip
    counts = f"{totals['trials']} trials on seed {recorded.get('seed', '?')}, {text.duration(totals['seconds'])} in all"
    table = _grid((*fields, "validation", "seconds", "", "trial"), rows, right=range(len(fields) + 2))
    return Group(Text(f"{' '.join(totals['arguments'])}: {counts}"), table)


def show(
    record: Record,
    predictions: Sequence[Mapping[str, Any]] = (),
    slices: Slices | None = None,
    texts: tuple[Mapping[str, str], str] = ({}, ""),
) -> RenderableType:
    """All facts of a record and some predictions; for a failed cell the error and its traceback.

    Args:
        record: a whole record.
        predictions: its predictions.
        slices: for an older record that does not hold them.
        texts: row id → text, and why there are none (see `harness.report.row_texts`).
    """
    parts: list[RenderableType] = [Text(record["id"], style="bold"), _pairs(_facts(record))]
    error = record.get("error")
    if error:
        parts += _section("Error", Text(f"{error.get('type')}: {error.get('message')}", style="red"))
        parts.append(Text(str(error.get("traceback") or "").rstrip(), style="dim"))
    if record.get("recipe"):
        parts += _section("Recipe", Text(text.recipe({name: [(value, ())] for name, value in trained_by(record).items()})))
    if record.get("fitted"):
        reasons = {name: f"{one['value']}: {one['why']}" for name, one in record["fitted"].items() if one["why"]}
        parts += _section("Why this recipe", _pairs(reasons))
    if choice := (record.get("training") or {}).get("choice"):
        parts += _section("Choice", Text(", ".join(f"{name} {value}" for name, value in choice.items())))
    if record.get("search"):
        parts += _section("Search", trial_table(record["search"]))
    metrics = record.get("metrics") or {}
    if metrics.get("test"):
        parts += _section("Metrics", _metrics(metrics))
    for kind, scores in slices_of(record, {record["id"]: slices or {}}).items():
        parts += _section(f"Scores by {kind_heading(kind)}", _slices(kind, scores))
    history = (record.get("training") or {}).get("history")
    if history:
        parts += _section("History", _history(history, record["training"].get("best_step")))
    parts += _section("Cost", _pairs(_costs(record.get("cost") or {})))
    if record.get("environment"):
        parts += _section("Environment", Text(text.environment(record["environment"])))
    if predictions:
        parts += _section("Predictions", example_table(predictions, *texts))
    return Group(*parts)


def _budget(trial: Mapping[str, Any]) -> str:
    return f", trained for {trial['budget']:.0%} of its recipe's steps" if "budget" in trial else ""


def _facts(record: Record) -> dict[str, str]:
    model, task = record["model"], record["task"]
    scored = record.get("score") is not None
    trial = record.get("trial") or {}
    where = f"suite {record['suite']}" if record.get("suite") else "no suite"
    facts = {
        "status": record["status"],
        "purpose": f"a trial of a search{_budget(trial)}: it was never tested" if is_trial(record) else "",
        "validation": text.score(trial["value"]) + (", pruned" if trial["pruned"] else "") if "value" in trial else "",
        "score": f"{text.score(record['score'])} ({record.get('primary_metric')})" if scored else text.NONE,
        "trivial answer": text.score(record.get("trivial_score")),
        "model": ", ".join(
            str(part) for part in (model["name"], model.get("architecture"), model.get("source")) if part
        ),
        "revision": model.get("revision") or "",
        "kept head": "the training went on from the head that the model brought" if model.get("keep_head") else "",
        "remote code": "Python code from the model's own repository was run" if model.get("remote_code") else "",
        "parameters": text.count(model["parameters"]) if model.get("parameters") else "",
        "task": f"{task['name']} ({task['family']}), version {task.get('version')}, {task.get('source')}",
        "fingerprint": text.short(task.get("fingerprint")),
        "rows": _counts(task.get("rows")),
        "without limit": _counts(task.get("rows_without_limit")) if task.get("limit") else "",
        "trained on": _training_part(task),
        "splits": task.get("split_rule") or "",
        "truncated": _truncated(task),
        "method, seed": f"{record['method']}, {record['seed']}",
        "run": f"{record.get('started') or '?'} to {record.get('finished') or '?'}, {where}",
    }
    signs = trouble(record)
    cures = ", ".join(dict.fromkeys(one.cure for one in signs if one.cure))
    what = "training failed" if any(one.failed for one in signs) else "may have fallen short"
    warning = {what: "\n".join([*(one.text for one in signs), *([f"try {cures}"] if cures else [])])}
    happened = {"on the way": _events(record.get("training") or {})}
    warnings = {"data warnings": "\n".join(task.get("warnings") or [])}
    return {name: value for name, value in {**facts, **warning, **happened, **warnings}.items() if value}


def _events(training: Mapping[str, Any]) -> str:
    """Resumes, retries and other events of the training."""
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


def _training_part(task: Mapping[str, Any]) -> str:
    """The number of training rows that were used, if not all."""
    part, there = task.get("train_rows"), task.get("train_rows_available")
    return f"{part:,} of {there:,} training rows, drawn by the seed" if part and there else ""


def _truncated(task: Mapping[str, Any]) -> str:
    """Counts of truncated rows, with their share of the split."""
    rows = task.get("rows") or {}
    return ", ".join(
        f"{split} {count:,}" + (f" ({count / rows[split]:.1%})" if rows.get(split) else "")
        for split, count in (task.get("truncated") or {}).items()
        if count
    )


def _counts(counts: Mapping[str, int] | None) -> str:
    return ", ".join(f"{split} {count:,}" for split, count in (counts or {}).items())


def _costs(cost: Mapping[str, Any]) -> dict[str, str]:
    known = {
        name.removesuffix("_seconds"): text.duration(value) for name, value in cost.items() if name.endswith("_seconds")
    }
    if cost.get("phases"):
        known["phases"] = ", ".join(f"{name} {text.duration(seconds)}" for name, seconds in cost["phases"].items())
    known |= {"peak memory": text.memory(cost["peak_memory_bytes"])} if cost.get("peak_memory_bytes") else {}
    known |= {"tokens read": text.count(cost["train_tokens"])} if cost.get("train_tokens") else {}
    return known | ({"padding": f"{cost['padding_share']:.1%}"} if cost.get("padding_share") is not None else {})


def _metrics(metrics: Mapping[str, Any]) -> Table:
    """Metrics on validation and test and of the trivial answer side by side; nested metrics are named `outer.inner`."""
    splits = {split: _flat(metrics[split]) for split in ("validation", "test", "trivial") if metrics.get(split)}
    names = dict.fromkeys(name for metrics_of_split in splits.values() for name in metrics_of_split)
    return _grid(
        ("metric", *splits), [(name, *(_value(metrics_of_split.get(name)) for metrics_of_split in splits.values())) for name in names]
    )


def _slices(kind: str, scores: Mapping[str, Mapping[str, float]]) -> Table:
    """Rows, score and other metrics of each slice."""
    small = {name: (SMALL if (rows := part.get("rows")) is None else rows) < SMALL for name, part in scores.items()}
    names = [
        name
        for name in dict.fromkeys(name for part in scores.values() for name in part)
        if name not in ("rows", "score")
    ]
    lines = [
        (
            short(name), f"{part.get('rows', '')}" + (FEW if small[name] else ""), text.score(part.get("score")),
            *(_value(part.get(other)) for other in names),
        )
        for name, part in scores.items()
    ]  # fmt: skip
    return _grid((kind, f"rows ({FEW} < {SMALL})" if any(small.values()) else "rows", "score", *names), lines)


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in metrics.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _value(value: Any) -> str:
    return text.NONE if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _history(history: Sequence[Mapping[str, float]], best: int | None) -> Table:
    lines = [
        (str(line["step"]), _value(line["loss"]), text.score(line["score"]), "best" if line["step"] == best else "")
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
    """A table; `right` are the positions of columns that are aligned to the right, by default all but the first."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(headings):
        at_right = number > 0 if right is None else number in right
        table.add_column(name, justify="right" if at_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
