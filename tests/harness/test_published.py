"""Published scores are matched by repository, task and source, and shown only for complete data."""

import csv
import io
import json

import pytest
from made_records import record

from harness import registry
from harness.errors import BenchError
from harness.planning.suite import load_suite
from harness.published import Published, published, read_published
from harness.report.board import Board
from harness.report.formats import to_csv, to_json
from harness.report.markdown import render

BERT = {"source": "google-bert/bert-base-uncased", "revision": "c" * 40}
SST2 = {"source": "stanfordnlp/sst2@" + "d" * 40, "revision": "d" * 40}
KNOWN = [
    Published("google-bert/bert-base-uncased", "sst2", "stanfordnlp/sst2", "accuracy", 92.7, "validation", "one paper"),
    Published("google-bert/bert-base-uncased", "sst2", "stanfordnlp/sst2", "accuracy", 93.1, "validation", "another", "notes"),
]  # fmt: skip


def sst2(**more):
    return record("sst2", "bert", 93.0, model_facts=BERT, task_facts=SST2, **more)


def test_published_scores_are_shown_with_differences_and_sources():
    board = Board.of([sst2(), record("sst2", "mine", 91.0, task_facts=SST2)], published=KNOWN)
    text = render(board)
    assert "92.70 (+0.30) / 93.10 (-0.10)" in text
    assert "- bert, accuracy 92.70: one paper; validation split\n" in text
    assert "- bert, accuracy 93.10: another; validation split; notes" in text
    line = next(line for line in text.split("\n") if line.startswith("| mine") and "0.910" not in line)
    assert "92.70" not in line
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(to_csv(board)))}
    assert rows["bert"]["published"] == "92.7 93.1" and rows["mine"]["published"] == ""
    assert [float(part) for part in rows["bert"]["difference"].split()] == pytest.approx([0.3, -0.1])
    beside = next(row for row in json.loads(to_json(board))["rows"] if row["model"] == "bert")["published"]["sst2"]
    assert [one["source"] for one in beside] == ["one paper", "another"]


@pytest.mark.parametrize(
    "other",
    [
        {"task_facts": {**SST2, "name": "sst2@100"}},
        {"task_facts": {**SST2, "source": "csv: sst2.csv"}},
        {"task_facts": {**SST2, "source": "stanfordnlp/sst2-copy@main"}},
        {"model_facts": {"source": "google-bert/bert-base-cased"}},
        {"method": "scratch"},
    ],
)
def test_published_scores_are_not_shown_for_other_data_models_or_methods(other):
    one = record(**{"task": "sst2", "model": "bert", "score": 93.0, "model_facts": BERT, "task_facts": SST2, **other})
    assert render(Board.of([one], published=KNOWN)) == render(Board.of([one]))


def test_both_metrics_of_question_answering_are_compared():
    facts = {"name": "squad", "family": "qa", "source": "rajpurkar/squad@" + "e" * 40}
    test = {"exact_match": 80.0, "f1": 88.0, "total": 200}
    one = record("squad", "bert", 88.0, model_facts=BERT, task_facts=facts, primary_metric="f1", metrics={"test": test})
    both = [
        Published(BERT["source"], "squad", "rajpurkar/squad", metric, value, "validation", "the paper")
        for metric, value in (("exact_match", 80.8), ("f1", 88.5))
    ]
    text = render(Board.of([one], published=both))
    assert "published exact\\_match" in text or "published exact_match" in text
    assert "88.50 (-0.50)" in text and "80.80 (-0.80)" in text


def test_registered_scores_name_known_tasks_metrics_and_models():
    tasks = {task.name: task for task in load_suite("standard").tasks}
    sources = {model.source.partition("@")[0] for model in registry.models().values()}
    assert len(published()) >= 27
    for one in published():
        assert one.data == tasks[one.task].source.repo and one.model in sources and 0 < one.value < 100 and one.source
        metrics = {
            "sentiment": {"accuracy"},
            "text-classification": {"accuracy"},
            "ner": {"f1"},
            "qa": {"f1", "exact_match"},
        }
        assert one.metric in metrics.get(tasks[one.task].family, {"bleu"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1", "must be a list"),
        ("- {model: x}", "entry 1: the key 'task' is missing"),
        ("- {modle: x}", "unknown key 'modle'; did you mean 'model'"),
        ("- {model: a, task: b, data: c, metric: d, value: high, split: e, source: f}", "value is 'high'"),
        ("- [", "cannot be read"),
    ],
)
def test_invalid_files_are_errors(tmp_path, text, words):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BenchError, match=words):
        read_published(tmp_path / "p.yaml")
