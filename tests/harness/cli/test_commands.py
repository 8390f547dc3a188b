"""The command line from outside: what it prints, writes and returns."""

import json
import os
import shutil
import subprocess
import sys

import pytest

SUITE = """
name: mine
models: {{b: {bert}}}
tasks:
  - {{name: reviews, family: sentiment, data: {{format: csv, files: reviews.csv}}}}
  - {{name: broken, family: translation, data: {{format: csv, files: pairs.csv}}}}
recipes:
  - {{epochs: 1, max_target_length: 4, precision: fp32}}
  - {{when: {{task: broken}}, epochs: 4, learning_rate: 1.0e30}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, checkpoints):
    path = tmp_path_factory.mktemp("work")
    rows = "\n".join(f'"the cat is {word}",{word}' for _ in range(20) for word in ("good", "bad"))
    (path / "reviews.csv").write_text("text,label\n" + rows)
    (path / "pairs.csv").write_text("source,target\n" + "the cat,the dog\n" * 10)
    (path / "mine.yaml").write_text(SUITE.format(bert=checkpoints("bert")))
    return path


def bench(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def first(folder):
    """The one run of this module."""
    return bench(folder, "run", "--suite", "mine.yaml", "--devices", "cpu")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--models", "brt"], "bench: unknown model 'brt'; did you mean 'bert'"),
        (["run", "--tasks", "mini-qq"], "bench: unknown task 'mini-qq'; did you mean 'mini-qa'"),
        (["run", "--engine", "loca"], "bench: unknown engine 'loca'; did you mean 'local'"),
        (["run", "--seeds", "x"], "bench: --seeds x: must be a number of seeds"),
        (
            ["run", "--results", "s3:/bucket/x"],
            "bench: --results s3:/bucket/x: must be a folder, or a URL such as s3://",
        ),
        (["plan", "--results", "s4://b/x"], "bench: --results s4://b/x: unknown protocol 's4'; did you mean 's3'?"),
        (
            ["run", "--results", "memory://x"],
            "bench: --results memory://x: memory ends with its process; name a folder",
        ),
        (
            ["leaderboard", "--results", "a::s3://b"],
            "bench: --results a::s3://b: must be a folder, or a URL such as s3://",
        ),
        (["run", "--set", "lr"], "bench: --set lr: must be NAME=VALUE"),
        (["plan", "--suite", "nano"], "bench: unknown suite 'nano'"),
        (["leaderboard", "--results", "none"], "bench: no results in 'none'; run: bench run --results none"),
        (["leaderboard", "--format", "pdf", "--results", "none"], "bench: unknown format 'pdf'"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_2(tmp_path, words, message):
    done = bench(tmp_path, *words)
    assert done.returncode == 2
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_failing_cell_is_status_1_and_the_rest_is_done_then_nothing_runs_again(folder, first):
    assert first.returncode == 1, first.stdout + first.stderr
    assert "suite mine" in first.stdout.splitlines()[0]
    assert "2 cells: 0 finished, 2 to run" in first.stdout
    assert "failed: broken--b--full--s0" in first.stdout and "the training loss became nan" in first.stdout
    assert "broken: every training failed; b: FloatingPointError: " in " ".join(first.stdout.split())
    board = (folder / "bench-results/leaderboard.md").read_text()
    assert board.startswith("<!-- bench leaderboard --results bench-results -->") and "broken" in board

    second = bench(folder, "run", "--suite", "mine.yaml", "--tasks", "reviews")
    assert second.returncode == 0 and "1 cells: 1 finished, 0 to run" in second.stdout

    third = bench(folder, "run", "--suite", "mine.yaml", "--json", BENCH_TASKS="reviews", BENCH_DEVICES="cpu")
    (cell,) = json.loads(third.stdout)
    assert cell["status"] == "ok" and cell["primary_metric"] == "accuracy"

    shown = bench(folder, "show", "broken")
    assert shown.returncode == 0 and "FloatingPointError" in shown.stdout
    assert json.loads(bench(folder, "show", cell["id"], "--json").stdout)["score"] == cell["score"]
    assert "did you mean" in bench(folder, "show", "reviews--tiny-brt--full--s0").stderr
    csv = bench(folder, "leaderboard", "--format", "csv").stdout
    assert csv.splitlines()[0].startswith("model,") and len(csv.splitlines()) == 3
    plan = bench(folder, "plan", "--suite", "mine.yaml")
    assert "2 cells, 1 finished, 1 to run" in plan.stdout


def test_nothing_is_written_beside_the_results(folder, first, tmp_path):
    shutil.copytree(folder / "bench-results", tmp_path / "bench-results", ignore=lambda *_: ["leaderboard.md"])
    (tmp_path / "leaderboard.md").write_text("# mine\n")
    for name in ("reviews.csv", "pairs.csv", "mine.yaml"):
        (tmp_path / name).write_text((folder / name).read_text())
    done = bench(tmp_path, "run", "--suite", "mine.yaml", "--tasks", "reviews", "--devices", "cpu")
    assert done.returncode == 0 and "1 finished, 0 to run" in done.stdout, done.stderr
    assert (tmp_path / "leaderboard.md").read_text() == "# mine\n"
    assert {path.name for path in tmp_path.iterdir()} == {
        "bench-results", "leaderboard.md", "reviews.csv", "pairs.csv", "mine.yaml",
    }  # fmt: skip
    assert "leaderboard: bench-results/leaderboard.md" in done.stdout
    assert (tmp_path / "bench-results/leaderboard.md").read_text().startswith("<!-- bench leaderboard")


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["task", "check", "-h"], ["plan", "--oops"], []])
def test_help_loads_nothing_heavy(words):
    code = (
        "import sys; from harness.cli.main import main\n"
        f"sys.argv = ['bench', *{words}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'harness.planning.plan', 'harness.registry', 'rich', 'yaml', 'orjson'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: bench" in done.stdout + done.stderr


def test_a_suite_without_the_hub_has_nothing_to_fetch(tmp_path):
    done = bench(tmp_path, "fetch", "--models", "bert", "--tasks", "mini-ner", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 0 and "in the cache: 0 repositories, 0 files, 0B" in done.stdout
    assert "--suite standard" in done.stdout


@pytest.mark.parametrize("columns", ["80", "160"])
def test_models_are_listed_with_size_and_traps(tmp_path, columns):
    text = bench(tmp_path, "models", COLUMNS=columns).stdout
    assert max(map(len, text.splitlines())) <= int(columns)
    assert "110M" in text and "never fp16" in text and "only translation" in text
    rows = {row["model"]: row for row in json.loads(bench(tmp_path, "models", "--json").stdout)}
    assert rows["t5-base"]["traps"] == {
        "avoid": ["fp16"],
        "prefix": "translate {source} to {target}: ",
        "max_length": 512,
    }
    assert rows["bert"]["parameters"] == 110_000_000 and rows["bert-mini"]["traps"] == {}


def test_lists_as_json(tmp_path):
    assert {"bert-mini", "bert"} <= {row["model"] for row in json.loads(bench(tmp_path, "models", "--json").stdout)}
    assert {"mini"} <= {row["suite"] for row in json.loads(bench(tmp_path, "suites", "--json").stdout)}
    listed = json.loads(bench(tmp_path, "tasks", "--json").stdout)
    assert [row["family"] for row in listed["families"]] == [
        "ner",
        "qa",
        "sentiment",
        "text-classification",
        "translation",
    ]
