"""The Python API: what a person who has not read the code would write, and what comes back."""

import doctest
import json
import shutil
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import pandas
import pytest

import harness
from harness import BenchError, Model, Task

ROOT = Path(__file__).resolve().parents[2]
ROWS = [{"tweet": f"such a {word} flight number {n}", "mood": mood} for n in range(40) for word, mood in (("good", "pos"), ("bad", "neg"))]


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_BASELINES", "true")


def tweets(**more):
    return Task.from_frame(pandas.DataFrame(ROWS), family="sentiment", text="tweet", label="mood", name="tweets", **more)


def test_the_import_is_quick_and_loads_no_torch():
    code = (
        "import sys, time; start = time.perf_counter(); import harness; took = time.perf_counter() - start\n"
        "harness.run, harness.Task, harness.load_results\n"
        "print(took, 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    took, *heavy = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert float(took) < 0.2 and heavy == ["False", "False"]


def test_every_public_name_is_documented_and_its_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").symlink_to(ROOT / "results")
    ran = 0
    for name in harness.__all__:
        thing = getattr(harness, name)
        assert thing.__doc__ and len(thing.__doc__.split()) > 5, name
        for test in doctest.DocTestFinder(exclude_empty=True).find(thing, name, module=False, globs=dict(vars(sys.modules[thing.__module__]))):
            found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
            assert not found.failed, f"{name}: {test.name}"
            ran += found.attempted
    assert ran > 15
    with pytest.raises(AttributeError, match="no attribute 'runn'; public are BenchError, Model"):
        _ = harness.runn


@pytest.mark.slow
def test_a_script_without_a_guard_trains_from_a_data_frame(tmp_path):
    """multiprocessing would run such a script again in each worker."""
    script = tmp_path / "mine.py"
    script.write_text(
        textwrap.dedent(f"""
        print("begun")
        import pandas
        from harness import Model, Task, check_task, run
        task = Task.from_frame(pandas.DataFrame({ROWS!r}), family="sentiment", text="tweet", label="mood", name="tweets")
        results = run(models=["bert-mini", Model("ours", "pkg:tasks/mini/models/gpt2-mini")], tasks=[task], seeds=[0], settings={{"epochs": 1}}, results="r")
        print(results.frame()[["model", "status"]].to_dict("records"), len(results), results.failed)
        print(results.leaderboard())
        print(check_task(task, model="bert-mini")[0].tokens.max_length)
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.count("begun") == 1
    assert "4 cells: 0 finished, 4 to run" in done.stdout and "start  tweets · ours" in done.stdout
    assert "{'model': 'ours', 'status': 'ok'}" in done.stdout and "best of the" in done.stdout
    assert (tmp_path / "r/leaderboard.md").is_file()
    (record,) = (json.loads(path.read_text()) for path in (tmp_path / "r/cells").glob("*ours*/record.json"))
    assert record["typed"]["model"] == "pkg:tasks/mini/models/gpt2-mini" and record["typed"]["columns"] == ["text=tweet", "label=mood"]
    assert record["typed"]["task"].startswith("sentiment:") and record["typed"]["task"].endswith("tweets.jsonl")


def test_what_is_asked_for_twice_is_one_cell_however_it_is_asked():
    """A task of rows in memory is the task that the command on its board names."""
    task = tweets()
    (_, _, cell) = harness.plan("bert-mini", task, estimate=False).plan.cells
    chosen = dict(task.chosen.items())
    (_, _, again) = harness.plan("bert-mini", task.reference, columns=chosen, estimate=False).plan.cells
    assert again.id == cell.id and cell.typed["columns"] == ["text=tweet", "label=mood"]
    report = harness.plan(["bert-mini", "gpt2-mini"], [task, "mini-ner"], seeds=[3], methods=["full", "lora"], settings={"lr": 1e-4}, estimate=False)
    assert {one.recipe.learning_rate for one in report.plan.cells if not one.is_baseline} == {1e-4}
    frame = report.frame()
    assert set(frame["seed"]) == {3} and len(frame) == 12 and "12 cells, 0 finished, 12 to run" in str(report)
    assert "tweets" in report._repr_html_() and report.seconds is None


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (ROWS, 80),
        (pandas.DataFrame(ROWS), 80),
        ({"train": ROWS[:40], "dev": ROWS[40:60], "test": ROWS[60:]}, 80),
        (pandas.DataFrame([{**row, "when": pandas.Timestamp("2026-01-02"), "price": Decimal("1.5"), "no": None} for row in ROWS]), 80),
    ],
)
def test_rows_of_many_kinds_are_a_task(data, rows):
    task = Task.from_data(data, "sentiment", text="tweet", label="mood", name="tweets")
    (found,) = harness.check_task(task)
    assert sum(found.report.rows.values()) == rows and not found.errors and found.frame()["level"].isin(["warning", "note"]).all()
    assert Task.from_data(data, "sentiment", text="tweet", label="mood", name="tweets").reference == task.reference


def test_data_sets_of_the_library_have_their_classes_names():
    from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

    rows = Dataset.from_list(
        [{"tweet": row["tweet"], "mood": int(row["mood"] == "pos")} for row in ROWS],
        features=Features({"tweet": Value("string"), "mood": ClassLabel(names=["neg", "pos"])}),
    )
    task = Task.from_data(DatasetDict(train=rows, test=rows.select(range(8))), "sentiment", text="tweet", label="mood")
    assert set(harness.check_task(task)[0].report.kinds) == {"neg", "pos"}
    tagged = Dataset.from_list(
        [{"tokens": ["Anna", "sat", str(n)], "ner_tags": [1, 0, 0]} for n in range(30)],
        features=Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=["O", "B-PER"]))}),
    )
    assert set(harness.check_task(Task.from_data(tagged, "ner"))[0].report.kinds) == {"PER"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tweets(texts="tweet"), r"Task.from_data: sentiment has no column 'texts'; valid: text, label"),
        (lambda: Task.from_data(ROWS, "sentment"), r"unknown task family 'sentment'; .*sentiment"),
        (lambda: Task.from_data([], "sentiment"), r"no rows in the data"),
        (lambda: Task.from_data({"train": ROWS, "rest": ROWS}, "sentiment"), r"unknown split 'rest'"),
        (lambda: Task.from_data({"tweet": ["a", "b"], "mood": ["x", "y"]}, "sentiment"), r"for columns use pandas.DataFrame"),
        (lambda: Task.from_data([{"text": object(), "label": "a"}], "sentiment"), r"row 1 of all, column 'text': a object; convert it"),
        (lambda: Task.from_data([{"text": b"\xff", "label": "a"}], "sentiment"), r"row 1 of all, column 'text': bytes that are not UTF-8"),
        (lambda: Task.from_data([["a", "b"]], "sentiment"), r"row 1 of all is a list; each row must be a dictionary"),
        (lambda: Task.from_data(3, "sentiment"), r"int is not known; give a data frame"),
        (lambda: harness.plan([], "mini-ner", estimate=False), r"--models is empty; name one or more, or all"),
        (lambda: harness.plan(3, "mini-ner", estimate=False), r"--models: 3 is a int"),
        (lambda: harness.plan("bert-mini", ["mini-ner", 4], estimate=False), r"--tasks: 4 is a int; give names, paths, or harness.Task"),
        (lambda: harness.plan("bert-mini", "mini-ner", seeds=0, estimate=False), r"--seeds 0: must be 1 or more"),
        (lambda: harness.plan("bert-mini", "mini-ner", limit=0, estimate=False), r"--limit 0: must be a number of rows, 1 or more"),
        (lambda: harness.plan("bert-mini", "mini-ner", settings={"lrr": 1}, estimate=False), r"--set lrr=1: unknown recipe field 'lrr'"),
        (lambda: harness.plan("bert-mini", "mini-ner", search={"lr": [1]}, settings={"lr": 1}, estimate=False), r"--search"),
        (lambda: harness.run("bert-mini", "mini-ner", engine="lokal"), r"unknown engine 'lokal'"),
        (lambda: harness.load_results("nowhere"), r"no results in 'nowhere'; run: bench run"),
        (lambda: harness.load_results(ROOT / "results").compare("bert-mini", "bart"), r"bart"),
        (lambda: harness.load_results(ROOT / "results").cell("mini"), r"'mini' stands for 117 cells"),
    ],
)
def test_what_a_person_can_mend_is_one_line(call, message):
    with pytest.raises(BenchError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_an_argument_that_no_run_has_is_a_type_error():
    with pytest.raises(TypeError, match="'job'; of how cells run it takes engine, address, devices, jobs"):
        harness.run("bert-mini", "mini-ner", job=2)


def test_results_are_frames_boards_and_files(tmp_path):
    results = harness.load_results(ROOT / "results")
    frame = results.frame()
    assert len(frame) == len(results) == 117 and frame["score"].between(0, 100).all() and results.failed == {}
    board = results.leaderboard()
    for form in ("md", "json", "csv", "slices", "latex", "svg"):
        assert board.save(tmp_path / f"board.{form}", form).stat().st_size > 500
    assert board.save(tmp_path / "page.html", "html").read_text().startswith("<!doctype html>")
    means = frame[frame["model"].eq("bert-mini") & frame["method"].eq("full")].groupby("task")["score"].mean()
    csv = board.frame().query("model == 'bert-mini' and method == 'full'").set_index("task")["mean"]
    assert means.round(6).to_dict() == csv.round(6).to_dict()
    markup = results._repr_html_()
    assert "<table>" in markup and "<script" not in markup and "<b>98.17 ± 0.21</b>" in markup
    predictions = results.predictions("mini-ner--bert-mini--full--s0")
    assert list(predictions.columns[:3]) == ["id", "prediction", "reference"] and len(predictions) == 400
    compared = results.compare("bert-mini", "gpt2-mini", tasks=["mini-ner"])
    assert compared.frame()["better"].tolist() == ["bert-mini"] and "95 % interval" in str(compared)
    assert results.recommend(max_parameters=100e6, tasks="mini-ner").model == "bert-mini"


def test_names_from_data_cannot_act_in_a_notebook(tmp_path):
    shutil.copytree(ROOT / "results/cells", tmp_path / "cells")
    for path in tmp_path.glob("cells/*/record.json"):
        path.write_text(path.read_text().replace('"name": "bert-mini"', '"name": "<script>alert(1)</script>"'))
    markup = harness.load_results(tmp_path)._repr_html_()
    assert "<script" not in markup and "&lt;script&gt;alert(1)" in markup


def test_a_task_file_is_written_and_read(tmp_path):
    pandas.DataFrame(ROWS).to_csv(tmp_path / "tweets.csv", index=False)
    path, left = harness.new_task(tmp_path / "tweets.csv", family="sentiment", output=tmp_path / "mine.yaml", columns={"text": "tweet", "label": "mood"})
    assert path.is_file() and isinstance(left, str)
    task = Task.from_file(path)
    assert task.name == "tweets" and not harness.check_task(task)[0].errors
    (*_, cell) = harness.plan("bert-mini", task, estimate=False).plan.cells
    assert cell.typed["task"] == str(path)
    with pytest.raises(BenchError, match="is there already"):
        harness.new_task(tmp_path / "tweets.csv", family="sentiment", output=path)


def test_models_that_are_given_as_objects_have_their_name():
    (*_, cell) = harness.plan(Model("ours", "pkg:tasks/mini/models/bert-mini", max_length=32), "mini-ner", estimate=False).plan.cells
    assert (cell.model.name, cell.model.max_length) == ("ours", 32)


@pytest.mark.slow
def test_several_runs_of_one_process_share_a_server_that_outlives_each(tmp_path):
    """The guard of a run kills what outlives its process; the end of a run is not the end of its process."""
    script = tmp_path / "mine.py"
    script.write_text(
        textwrap.dedent("""
        import gc, time
        from multiprocessing import forkserver
        from harness import run
        for seed in (0, 1):
            found = run("bert-mini", "mini-sentiment", limit=20, seeds=[seed], settings={"epochs": 1}, baselines=False, progress=False, results="r")
            assert not found.failed, found.failed
            server = forkserver._forkserver._forkserver_pid
            print(server, flush=True)
            gc.collect()
            time.sleep(8)
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert len(set(done.stdout.split())) == 1
