"""A small results folder with predictions, and the page's view of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from made_records import failed, record

from harness.grouping.board_records import BoardRecords
from harness.grouping.groups import identified, records_by_place
from harness.report.page.view import ROWS, View
from harness.stats.standings import Standing, Standings
from harness.store import Store

HOSTILE = '</script><script>alert("1")</script><img src=x onerror=alert(2)>'
TOPICS = ("art", "music", "sport")


def films(model: str, seed: int, wrong: set[int], **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A record on `films` (20 rows) and its predictions; the numbers in `wrong` are."""
    lines = []
    for row in range(20):
        reference = TOPICS[row % 3]
        said = TOPICS[(row + 1) % 3] if row in wrong else reference
        lines.append(
            {"id": f"t{row}", "prediction": said, "reference": reference, "phenomenon": "odd" if row % 2 else "even"}
        )
    slices = {name: {"rows": 10, "score": 100.0 - len(wrong) - place} for place, name in enumerate(("even", "odd"))}
    made = record("films", model, 5.0 * (20 - len(wrong)), seed, metrics={"phenomena": slices}, **more)
    return made, lines


def names(model: str, seed: int, said: list[list[str]], **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A record on `names` with entity types, and its predictions."""
    references = [["B-PER", "O"], ["O", "B-LOC"]]
    lines = [
        {"id": f"n{row}", "prediction": one, "reference": reference}
        for row, (one, reference) in enumerate(zip(said, references, strict=True))
    ]
    part = {"PER": {"f1": 0.5 + seed / 10, "support": 1}, "LOC": {"f1": 1.0, "support": 1}}
    test = {"f1": 0.75, "per_type": part}
    made = record(
        "names", model, 75.0, seed, primary_metric="f1", metrics={"test": test}, task_facts={"family": "ner"}, **more
    )
    return made, lines


def folder(root: Path) -> Store:
    """Two models with two seeds each on two tasks, a third that failed once and knows one task alone."""
    store = Store(root)
    right = [["B-PER", "O"], ["O", "B-LOC"]]
    big = {"model_facts": {"parameters": 9_000_000, "architecture": "decoder"}, "cost": {"train_seconds": 90.0}}
    for made, lines in (
        films("bert", 0, {1, 2}), films("bert", 1, {1, 4}), films("gpt", 0, {1, 7, 8}, **big), films("gpt", 1, {1, 7}, **big),
        films("small", 0, set(range(12)), model_facts={"parameters": 1_000_000}),
        names("bert", 0, right), names("bert", 1, right), names("gpt", 0, [["B-PER", "O"], ["O", "O"]], **big),
    ):  # fmt: skip
        store.write(made, lines)
    bad = failed("names", "small")
    store.write({**bad, "task": {**bad["task"], "family": "ner"}})
    return store


def hostile(root: Path) -> Store:
    """A folder in which whatever can be a text is `HOSTILE`."""
    store = Store(root)
    for model in (HOSTILE, "bert"):
        made, lines = films(model, 0, {1}, id=f"c-{len(model)}", recipe={"schedule": HOSTILE}, suite=HOSTILE)
        texts = dict.fromkeys(("name", "family", "source", "split_rule"), HOSTILE)
        made["task"] |= {**texts, "warnings": [HOSTILE]}
        made["model"] |= {"architecture": HOSTILE}
        test = {"accuracy": 0.95, "per_type": {HOSTILE: {"f1": 0.5}}}
        made["metrics"] = {"test": test, "trivial": {}, "phenomena": {HOSTILE: {"rows": 2, "score": 1.0}}}
        lines[0]["prediction"] = lines[1]["phenomenon"] = lines[2]["id"] = HOSTILE
        store.write(made, lines)
    store.write({**failed(message=HOSTILE), "id": "c-failed"})
    return store


def view(store: Store, sure: bool = True, rows: int = ROWS) -> View:
    """The view of a folder; `sure`: with made-up intervals and letters, without resampling."""
    records = BoardRecords.of(store.records())
    found = records_by_place(filter(identified, records))
    standing = {where: Standing("ab", 10.0 + number, 90.0 + number) for number, where in enumerate(found[0]) if sure}
    return View.of(records, Standings(standing, [], found), store, "results", rows)
