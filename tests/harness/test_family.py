"""What ranks models on a task is the task's own choice among the metrics of its family, wherever a score is made or shown."""

import json
from dataclasses import replace

import pytest
import yaml

from harness import registry
from harness.baselines.run import run_baseline
from harness.data.source import GeneratedSource
from harness.errors import BenchError
from harness.planning.plan import make_plan
from harness.planning.references import find_tasks
from harness.planning.request import Request
from harness.planning.suite import load_suite
from harness.report.board import Board
from harness.stats.row_comparison import compare
from harness.store import Store
from harness.task import Task
from harness.training.worker import run_cell


def task(family, **options):
    return Task("t", family, GeneratedSource(lambda: {}, "x"), options=options)


@pytest.mark.parametrize(
    ("family", "metric", "scale"),
    [
        ("sentiment", None, 100.0),
        ("text-classification", "macro_f1", 100.0),
        ("ner", "recall", 100.0),
        ("qa", "exact_match", 1.0),
        ("translation", "chrf", 1.0),
    ],
)
def test_a_task_chooses_its_metric(family, metric, scale):
    adapter = registry.family(family)
    options = {"metric": metric} if metric else {}
    found = adapter.metric(task(family, **options))
    assert (found.name, found.scale) == (metric or adapter.primary_metric, scale)
    assert found.score({found.name: 0.5}) == 0.5 * scale
    adapter.accept(task(family, **options))


def test_an_unknown_metric_or_option_names_the_valid_ones():
    with pytest.raises(BenchError, match=r"task 't', options: unknown metric of family ner 'f2'; did you mean 'f1'\? valid: f1, prec"):
        registry.family("ner").accept(task("ner", metric="f2"))
    with pytest.raises(BenchError, match=r"task 't': unknown option of family sentiment 'metrics'; did you mean 'metric'"):
        registry.family("sentiment").accept(task("sentiment", metrics="accuracy"))


@pytest.mark.parametrize("where", ["task file", "suite", "registered"])
def test_options_are_looked_at_wherever_a_task_comes_from(where, tmp_path, monkeypatch):
    content = {"name": "mine", "family": "ner", "data": {"format": "conll", "files": "x.conll"}, "options": {"mod": "strict"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump({"name": "s", "tasks": [content]}))
    usual = load_suite("mini")
    monkeypatch.setattr(registry, "tasks", lambda: {"mine": replace(task("ner", mod="strict"), name="mine")})
    reference, suite = {
        "task file": (str(tmp_path / "mine.yaml"), "mini"), "suite": ("all", str(tmp_path / "suite.yaml")), "registered": ("mine", "mini"),
    }[where]  # fmt: skip
    place = {"task file": r"mine.yaml:7: options", "suite": r"suite.yaml:9: tasks.options", "registered": "task 'mine'"}[where]
    with pytest.raises(BenchError, match=f"{place}: unknown option of family ner 'mod'; did you mean 'mode'"):
        find_tasks([reference], load_suite(suite) if where == "suite" else usual)


@pytest.fixture(scope="module")
def unbalanced(tmp_path_factory):
    """Records of two baselines and a trained model on a task of which one class is rare, ranked by macro F1."""
    folder = tmp_path_factory.mktemp("metric")
    rows = [f"the {'sun' if number % 6 else 'moon'} is up {number},{'day' if number % 6 else 'night'}" for number in range(120)]
    (folder / "sky.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    for name, options in (("usual", {}), ("macro", {"metric": "macro_f1"})):
        content = {"name": "sky", "family": "text-classification", "data": {"format": "csv", "files": "sky.csv"}, "options": options}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    settings = {"recipe.epochs": "2", "recipe.precision": "fp32"}
    store = Store(folder / "results")
    for models, given in ((["majority", "tfidf-lr"], {}), (["bert-mini"], settings)):
        for cell in make_plan(Request(models, [str(folder / "macro.yaml")], settings=given)).cells:
            run_baseline(cell, store, lambda event: None) if cell.is_baseline else run_cell(cell, "cpu", store, print)
    return folder, store


def test_records_board_slices_and_comparison_go_by_it(unbalanced):
    _folder, store = unbalanced
    records = {record["model"]["name"]: record for record in store.records()}
    assert set(records) == {"majority", "tfidf-lr", "bert-mini"}
    for record in records.values():
        test = record["metrics"]["test"]
        assert record["primary_metric"] == "macro_f1" and record["score"] == 100 * test["macro_f1"]
        assert record["trivial_score"] == 100 * record["metrics"]["trivial"]["macro_f1"] < 50
        for part in record["metrics"]["slices"]["length"].values():
            assert part["score"] == 100 * part["macro_f1"]
    assert records["majority"]["score"] < 100 * records["majority"]["metrics"]["test"]["accuracy"]
    assert Board.of(list(records.values())).columns[0].metric == "macro_f1"
    (found,) = compare(store, "tfidf-lr", "majority")
    assert found.metric == "macro_f1" and found.difference.value == pytest.approx(
        records["tfidf-lr"]["score"] - records["majority"]["score"]
    )


def test_training_chooses_its_weights_by_it(unbalanced):
    _, store = unbalanced
    (record,) = [record for record in store.records() if record["model"]["name"] == "bert-mini"]
    evaluations = [entry for entry in record["training"]["history"] if "score" in entry]
    assert evaluations and max(entry["score"] for entry in evaluations) == pytest.approx(
        100 * record["metrics"]["validation"]["macro_f1"]
    )


def test_it_is_another_cell(unbalanced):
    folder, _ = unbalanced
    usual, macro = (
        make_plan(Request(["majority"], [str(folder / f"{name}.yaml")])).cells[0] for name in ("usual", "macro")
    )
    assert usual.id != macro.id and json.loads(json.dumps(macro.facts()))["task"]["options"] == {"metric": "macro_f1"}
