"""`bench task check` and `bench task new` from outside."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from harness import registry
from harness.check.report import examine
from harness.planning.taskfile import load_task, read_task

ROWS = [f'"number {number} is {word}",{word}' for number in range(20) for word in ("good", "bad")]


def bench(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80", **environment},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "reviews.csv").write_text("text,label\n" + "\n".join([*ROWS, '"number 0 is good",bad']) + "\n")
    return tmp_path


def write(folder, name="reviews.yaml", **content):
    given = {"family": "sentiment", "data": {"format": "csv", "files": "reviews.csv"}, **content}
    (folder / name).write_text(yaml.safe_dump(given))
    return name


def test_warnings_are_printed_and_the_status_is_0(folder):
    done = bench(folder, "task", "check", "sentiment:./reviews.csv")
    assert done.returncode == 0, done.stderr
    assert "1 text occurs with more than one label" in " ".join(done.stdout.split())
    assert "60/20/20 of all rows" in done.stdout and "no errors" in done.stdout and not done.stderr
    assert max(map(len, done.stdout.split("\n"))) <= 80


def test_json(folder):
    (report,) = json.loads(bench(folder, "task", "check", write(folder), "--json", "--limit", "10").stdout)
    assert report["task"] == "reviews@10" and report["rows"] == {"train": 10, "validation": 8, "test": 8}
    assert sum(report["whole"].values()) == 41 and report["tokens"] is None
    (report,) = json.loads(bench(folder, "task", "check", "reviews.yaml", "--json").stdout)
    assert set(report["kinds"]) == {"good", "bad"}
    (conflict,) = [finding for finding in report["findings"] if finding["code"] == "conflicting-answers"]
    assert set(conflict) == {"level", "code", "message", "count", "examples"} and conflict["count"] == 1


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ({"labels": ["bad"]}, 4),  # three rows with the label good, and how many more
        ({"columns": {"text": "texd", "label": "label"}}, 1),
        ({"data": {"format": "csv", "files": "none.csv"}}, 1),
        ({"labels": {"good": "all", "bad": "all"}}, 1),
    ],
)
def test_each_error_is_a_line_and_the_status_is_2(folder, content, lines):
    done = bench(folder, "task", "check", write(folder, **content))
    assert done.returncode == 2 and done.stderr.count("\n") == lines
    assert all(line.startswith("bench: ") for line in done.stderr.splitlines())
    again = bench(folder, "task", "check", "reviews.yaml", "--json")
    assert again.returncode == 2 and json.loads(again.stdout)[0]["findings"][0]["level"] == "error"


@pytest.mark.slow
def test_a_model_counts_tokens(folder):
    done = bench(folder, "task", "check", write(folder), "--model", "bert-mini", "--max-length", "8", "--json")
    (report,) = json.loads(done.stdout)
    assert report["tokens"]["max_length"] == 8 and set(report["tokens"]["truncated"]) == {"train", "validation", "test"}
    wrong = bench(folder, "task", "check", "reviews.yaml", "--max-length", "8")
    assert wrong.returncode == 2 and "--model" in wrong.stderr


def test_the_whole_suite_can_be_checked(tmp_path):
    reports = json.loads(bench(tmp_path, "task", "check", "all", "--json").stdout)
    assert len(reports) == 5 and all(report["rows"] for report in reports)


@pytest.mark.slow
def test_a_run_prints_and_records_warnings_about_the_data(folder, checkpoints):
    suite = {
        "name": "mine", "models": {"b": str(checkpoints("bert"))}, "recipes": [{"epochs": 1, "precision": "fp32"}],
        "tasks": [{"name": "reviews", "family": "sentiment", "data": {"format": "csv", "files": "reviews.csv"}}],
    }  # fmt: skip
    (folder / "mine.yaml").write_text(yaml.safe_dump(suite))
    done = bench(folder, "run", "--suite", "mine.yaml", "--devices", "cpu", "--seeds", "2")
    assert done.returncode == 0, done.stderr + done.stdout
    told = [line for line in done.stdout.splitlines() if line.startswith("data ")]
    assert (
        len(told) == 1
        and "with more than one label" in told[0]
        and "bench task check reviews --suite mine.yaml" in told[0]
    )
    records = [json.loads(path.read_text()) for path in folder.glob("bench-results/cells/*/record.json")]
    assert len(records) == 2
    for record in records:
        task = record["task"]
        assert task["split_rule"] == "60/20/20 of all rows, stratified by label, equal texts together, seed 42"
        assert any("more than one label" in line for line in task["warnings"])
        assert not any("number" in line for line in task["warnings"])  # no words of the data
    board = (folder / "bench-results/leaderboard.md").read_text()
    assert "- splits: 60/20/20 of all rows" in board and "- warnings about the data: " in board
    shown = bench(folder, "show", records[0]["id"])
    assert "more than one label" in " ".join(shown.stdout.split())
    again = bench(folder, "run", "--suite", "mine.yaml", "--devices", "cpu", "--seeds", "2")
    assert "2 finished, 0 to run" in again.stdout and not any(
        line.startswith("data ") for line in again.stdout.splitlines()
    )


def test_a_task_file_from_data(folder):
    done = bench(folder, "task", "new", "reviews.csv")
    assert done.returncode == 0 and "bench task check reviews.yaml" in done.stdout
    task = load_task(folder / "reviews.yaml")
    assert (task.family, dict(task.columns)) == ("sentiment", {"text": "text", "label": "label"})
    assert bench(folder, "task", "check", "reviews.yaml").returncode == 0
    (folder / "reviews.yaml").write_text("mine")
    second = bench(folder, "task", "new", "reviews.csv")
    assert second.returncode == 2 and "--force" in second.stderr and (folder / "reviews.yaml").read_text() == "mine"
    assert bench(folder, "task", "new", "reviews.csv", "--force", "--family", "text-classification").returncode == 0
    assert yaml.safe_load((folder / "reviews.yaml").read_text())["family"] == "text-classification"


def test_a_template_for_a_name(tmp_path):
    done = bench(tmp_path, "task", "new", "my-task", "--family", "qa")
    content = yaml.safe_load((tmp_path / "my-task.yaml").read_text())
    assert (
        done.returncode == 0
        and content["family"] == "qa"
        and set(content["columns"]) == {"question", "context", "answers"}
    )
    assert read_task(content, tmp_path / "my-task.yaml").name == "my-task"
    wrong = bench(tmp_path, "task", "new", "none.csv")
    assert wrong.returncode == 2 and "no such file" in wrong.stderr and wrong.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("data", "family", "rows"),
    [
        ("sst2/train.tsv", "sentiment", 10_000),
        ("sst2", "sentiment", 12_693),
        ("waimai_zh/waimai_10k.csv", "sentiment", 11_987),
        ("wikigold/wikigold.conll.txt", "ner", 1_696),
        ("wikigold", "ner", 1_696),
        ("resume_ner_zh", "ner", 4_761),
        ("xquad_en/xquad.en.json", "qa", 1_190),
        ("xquad_en", "qa", 1_190),
        ("drcd_zh_hant/DRCD_dev.json", "qa", 1_358),
        ("drcd_zh_hant", "qa", 1_967),
        ("subjqa_grocery", "qa", 1_244),
        ("subjqa_grocery/dev.csv", "qa", 218),
        ("ag_news_csv", "text-classification", 7_600),
        ("multi30k_en_de", "translation", 12_014),
        ("multi30k_en_de/val.de+val.en", "translation", 1_014),
    ],
)
def test_published_data_sets_are_recognised(data, family, rows, shared, tmp_path):
    from harness.scaffold.new import from_data

    text, path, _ = from_data(str(shared / "data" / data), None, tmp_path / "made.yaml")
    path.write_text(text, encoding="utf-8")
    task = load_task(path)
    report, _ = examine(task, registry.family(task.family))
    assert task.family == family and not report.of("error")
    assert sum(report.rows.values()) == rows
    assert task.options.get("unit") == ("character" if "drcd" in data else None)
    if data == "ag_news_csv":
        assert dict(task.columns) == {"text": [1, 2], "label": 0} and task.labels == {
            str(n): str(n) for n in (1, 2, 3, 4)
        }
    if data == "multi30k_en_de":
        assert dict(task.options) == {"source_language": "en", "target_language": "de"}
