"""The Python API, as someone who has not read the code would use it."""

import doctest
import json
import shutil
import subprocess
import sys
import textwrap
from decimal import Decimal
from enum import Enum
from pathlib import Path

import numpy
import pandas
import pytest
from typer.testing import CliRunner

import harness
from harness import BenchError, Model, Task
from harness.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
BERT = "pkg:tasks/mini/models/bert-mini"
ROWS = [{"tweet": f"such a {word} flight number {n}", "mood": mood} for n in range(40) for word, mood in (("good", "pos"), ("bad", "neg"))]


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_BASELINES", "true")


class Kind(Enum):
    ONE = "one"


def tweets(**more):
    return Task.from_frame(pandas.DataFrame(ROWS), family="sentiment", text="tweet", label="mood", name="tweets", **more)


def test_import_is_quick_and_loads_no_torch():
    code = (
        "import sys, time; start = time.process_time(); import harness; took = time.process_time() - start\n"
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
    with pytest.raises(AttributeError, match="no attribute 'runn'; public are BenchError, CheckedTask"):
        _ = harness.runn
    assert [name for name in dir(harness) if not name.startswith("__")] == harness.__all__


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


def test_the_same_request_gives_the_same_cells_from_objects_and_from_text():
    """A task of rows in memory equals the task in the command on its board."""
    task = tweets()
    (_, _, cell) = harness.plan("bert-mini", task, estimate=False).plan.cells
    chosen = dict(task.chosen)
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
def test_a_task_is_made_from_many_types_of_data(data, rows):
    task = Task.from_data(data, "sentiment", text="tweet", label="mood", name="tweets")
    (found,) = harness.check_task(task)
    assert sum(found.report.rows.values()) == rows and not found.errors and found.frame()["level"].isin(["warning", "note"]).all()
    assert Task.from_data(data, "sentiment", text="tweet", label="mood", name="tweets").reference == task.reference


def test_labels_and_options_are_in_the_command_of_the_board():
    """A task file beside the rows has what `family:path` cannot say, so the command makes the same cells."""
    rows = [{**row, "mood": None if n == 5 else int(row["mood"] == "pos")} for n, row in enumerate(ROWS)]
    task = Task.from_data(
        rows, "sentiment", name="my tweets", text="tweet", label="mood", labels=["bad", "good"], drop_labels=None, options={"metric": "macro_f1"}
    )
    (found,) = harness.check_task(task)
    assert not found.errors and set(found.report.kinds) == {"bad", "good"} and sum(found.report.rows.values()) == 79
    (*_, cell) = harness.plan("bert-mini", task, estimate=False).plan.cells
    (*_, again) = harness.plan(cell.typed["model"], cell.typed["task"], estimate=False).plan.cells
    assert again.id == cell.id and again.task.title == "my tweets" and "columns" not in cell.typed
    assert Task.from_data(rows, "sentiment", name="my tweets", text="tweet", label="mood", labels={0: "bad", 1: "good"}).labels == {"0": "bad", "1": "good"}


def test_data_frames_with_an_index_and_unusual_columns():
    """Named index levels become columns, values with a plain text are written as text, and columns of None are guessed."""
    frame = pandas.DataFrame(ROWS).assign(
        period=pandas.period_range("2026", periods=80, freq="D"), bin=pandas.cut(range(80), 4), where=[Path("a/b")] * 80, kind=[Kind.ONE] * 80
    )
    task = Task.from_frame(frame.set_index("mood"), "sentiment", text="tweet", label=None, name="tweets")
    assert set(harness.check_task(task)[0].report.kinds) == {"pos", "neg"}
    first = json.loads(Path(task.reference.partition(":")[2]).read_text().splitlines()[0])
    assert (first["period"], first["where"], first["kind"]) == ("2026-01-01", "a/b", "one") and first["bin"].startswith("(")


def test_classes_of_a_datasets_dataset_keep_their_names():
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
    for form in (None, "numpy", "pandas"):
        assert set(harness.check_task(Task.from_data(tagged.with_format(form), "ner"))[0].report.kinds) == {"PER"}


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
        (lambda: Task.from_data({"tweet": numpy.array(["a"]), "mood": numpy.array(["x"])}, "sentiment"), r"for columns use pandas.DataFrame"),
        (lambda: Task.from_data({"train": ROWS, "dev": ROWS, "validation": ROWS}, "sentiment"), r"two names for one split among train, dev, validation"),
        (lambda: Task.from_data({"train": ROWS, "all": ROWS}, "sentiment"), r"all stands beside other splits"),
        (lambda: Task.from_data(ROWS, None), r"family: None is a NoneType; give one of ner, qa"),
        (lambda: Task.from_data(ROWS, "sentiment", text="twit", label="mood"), r"^Task.from_data: unknown column 'twit'; did you mean 'tweet'"),
        (lambda: Task.from_data([{"text": "a"}] * 9, "sentiment"), r"^Task.from_data: no column looks like the label.*which one it is: label=\"NAME\"$"),
        (lambda: Task.from_data(pandas.DataFrame(ROWS).assign(**{"0": "x"}).rename(columns={"mood": 0}), "sentiment"), r"column '0' occurs twice"),
        (lambda: Task.from_data(pandas.concat({"a": pandas.DataFrame(ROWS)}, axis=1), "sentiment"), r"the columns have several levels"),
        (lambda: tweets(labels="neg,pos"), r"labels: 'neg,pos' is a str; give a dictionary of raw label"),
        (lambda: tweets(labels={"neg", "pos"}), r"labels: .* is a set; give"),
        (lambda: tweets(labels=["a", "a"]), r"^Task.from_data: labels: the name 'a' occurs twice"),
        (lambda: tweets(options="metric=f1"), r"options: 'metric=f1' is a str; give a dictionary"),
        (lambda: tweets(columns="text=tweet"), r"columns: 'text=tweet' is a str; give a dictionary"),
        (lambda: harness.plan("bert-mini", pandas.DataFrame(ROWS), estimate=False), r"a DataFrame is data; make a task of it: harness.Task.from_data"),
        (lambda: harness.plan({"x": "bert-mini"}, "mini-ner", estimate=False), r"^models: {'x': 'bert-mini'} is a dict"),
        (lambda: harness.plan("bert-mini", Model("x", "y"), estimate=False), r"^tasks: Model.* is a Model; give names, paths, or harness.Task"),
        (lambda: harness.plan(tweets(), "mini-ner", estimate=False), r"^models: Task.* is a Task; give names, paths, or harness.Model"),
        (lambda: harness.plan(Model("x", BERT, families="sentment"), "mini-ner", estimate=False), r"unknown task family 'sentment'"),
        (lambda: harness.plan(Model("x", BERT, max_length="32"), "mini-ner", estimate=False), r"Model 'x': max_length 32: must be a whole number"),
        (lambda: harness.plan(Model("x", BERT, avoid=["bf17"]), "mini-ner", estimate=False), r"Model 'x': avoid: unknown precision 'bf17'"),
        (lambda: harness.plan(Model("", BERT), "mini-ner", estimate=False), r"Model '': cannot be a name"),
        (lambda: harness.plan("bert-mini", "mini-ner", seeds=1.5, estimate=False), r"^seeds: 1.5 is a float; give a whole number"),
        (lambda: harness.plan("bert-mini", "mini-ner", settings=3, estimate=False), r"^settings: 3 is a int; give a dictionary"),
        (lambda: harness.plan("bert-mini", "mini-ner", columns=3, estimate=False), r"^columns: 3 is a int; give a dictionary"),
        (lambda: harness.plan("bert-mini", "mini-ner", suite=3, estimate=False), r"suite: 3 is a int; give text or a path"),
        (lambda: harness.plan("bert-mini", "mini-ner", search={"lr": 1e-4}, estimate=False), r"^search lr=0.0001: one value leaves nothing to choose"),
        (lambda: harness.plan("bert-mini", "mini-ner", trust_remote_code="no", estimate=False), r"trust_remote_code: 'no' is a str; give True or False"),
        (lambda: harness.plan("bert-mini", "mini-ner", jobs=0), r"^jobs 0: must be a whole number, 1 or more"),
        (lambda: harness.run("bert-mini", "mini-ner", results=None), r"results: None is a NoneType; give text or a path"),
        (lambda: harness.run("bert-mini", "mini-ner", jobs=0), r"^jobs 0: must be a whole number, 1 or more"),
        (lambda: harness.run("bert-mini", "mini-ner", devices_per_cell=0), r"^devices_per_cell 0: must be a whole number, 1 or more"),
        (lambda: harness.run("bert-mini", "mini-ner", retries=-1), r"^retries -1: must be a whole number, 0 or more"),
        (lambda: harness.run("bert-mini", "mini-ner", timeout=-3), r"^timeout -3: must be a time such as 90s"),
        (lambda: harness.run("bert-mini", "mini-ner", shard=(1, 2)), r"shard: \(1, 2\) is a tuple; give text"),
        (lambda: harness.run("bert-mini", "mini-ner", fail_fast="no"), r"fail_fast: 'no' is a str; give True or False"),
        (lambda: harness.load_results(ROOT / "results").predictions(3), r"cell 3: give an id, or a part of one"),
        (lambda: harness.load_results(ROOT / "results").compare(None, "bert-mini"), r"compare: None is a NoneType; give MODEL or MODEL:METHOD"),
        (lambda: harness.load_results(ROOT / "results").recommend(tasks=3), r"tasks: 3 is a int; give names of tasks"),
        (lambda: harness.load_results(ROOT / "results").recommend(max_train_minutes=[5]), r"^max_train_minutes: \[5\] is a list; give a number"),
        (lambda: harness.recommend(ROOT / "results", max_parameters="12Q"), r"^max_parameters 12Q: must be an amount such as 100M or 1.5B"),
        (lambda: harness.check_task("mini-ner", max_length=9), r"^max_length needs a tokeniser"),
        (lambda: harness.load_results(ROOT / "results").leaderboard().save("none/board.md"), r"none/board.md: cannot be written: No such file or directory"),
        (lambda: harness.load_results(ROOT / "results").leaderboard().save("x.pdf", "pdf"), r"unknown format 'pdf'; valid: .*html"),
        (lambda: harness.load_results(ROOT / "results").leaderboard().to_text("html"), r"write it with save"),
        (lambda: harness.plan([], "mini-ner", estimate=False), r"^models is empty; name one or more, or all"),
        (lambda: harness.plan(3, "mini-ner", estimate=False), r"^models: 3 is a int"),
        (lambda: harness.plan("bert-mini", ["mini-ner", 4], estimate=False), r"^tasks: 4 is a int; give names, paths, or harness.Task"),
        (lambda: harness.plan("bert-mini", "mini-ner", seeds=0, estimate=False), r"^seeds 0: must be 1 or more"),
        (lambda: harness.plan("bert-mini", "mini-ner", limit=0, estimate=False), r"^limit 0: must be a number of rows, 1 or more"),
        (lambda: harness.plan("bert-mini", "mini-ner", settings={"lrr": 1}, estimate=False), r"^settings lrr=1: unknown recipe field 'lrr'"),
        (lambda: harness.plan("bert-mini", "mini-ner", search={"lr": [1]}, settings={"lr": 1}, estimate=False), r"^search"),
        (lambda: harness.run("bert-mini", "mini-ner", engine="lokal"), r"unknown engine 'lokal'"),
        (lambda: harness.load_results("nowhere"), r"no results in 'nowhere'; run: bench run"),
        (lambda: harness.load_results(ROOT / "results").compare("bert-mini", "bart"), r"bart"),
        (lambda: harness.load_results(ROOT / "results").cell("mini"), r"'mini' stands for 117 cells"),
    ],
)
def test_errors_of_the_user_are_one_line(call, message):
    with pytest.raises(BenchError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recommend", "--results", str(ROOT / "results"), "--max-parameters", "12Q"], "--max-parameters 12Q: must be an amount such as 100M or 1.5B"),
        (["plan", "--models", "bert-mini", "--tasks", "mini-ner", "--set", "lrr=1"], "--set lrr=1: unknown recipe field 'lrr'"),
    ],
)
def test_the_command_line_names_the_option(words, message):
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, BenchError) and str(done.exception).startswith(message)


def test_an_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError, match=r"plan\(\) got an unexpected keyword argument 'seed'; of what is trained it takes suite, methods, seeds"):
        harness.plan("bert-mini", "mini-ner", seed=2)
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
    assert str(harness.compare(Model("bert-mini", BERT), "gpt2-mini", results, "mini-ner")) == str(results.compare("bert-mini", "gpt2-mini", "mini-ner"))
    assert harness.recommend(results, tasks="mini-ner").model == harness.recommend(ROOT / "results", tasks="mini-ner").model
    compared = results.compare("bert-mini", "gpt2-mini", tasks=["mini-ner"])
    assert compared.frame()["better"].tolist() == ["bert-mini"] and "95 % interval" in str(compared)
    assert results.recommend(max_parameters=100e6, tasks="mini-ner").model == "bert-mini"


def test_results_without_records():
    """This happens after an interruption before the first cell has ended."""
    results = harness.Results(harness.load_results(ROOT / "results").store, [])
    assert len(results) == 0 and results.failed == {} and results.frame()["model"].tolist() == [] and "0 cells" in results._repr_html_()
    assert str(results.leaderboard()) == "no results" and len(results.leaderboard().frame()) == 0
    for call in (results.recommend, lambda: results.compare("bert-mini", "gpt2-mini"), lambda: results.cell("mini")):
        with pytest.raises(BenchError, match=r"no results of these cells in .*results'; run them again"):
            call()


def test_why_a_cell_has_no_predictions(tmp_path):
    name = next(path.name for path in (ROOT / "results/cells").glob("mini-ner--bert-mini--full--s0--*"))
    shutil.copytree(ROOT / "results/cells" / name, tmp_path / "cells" / name)
    for path in tmp_path.glob("cells/*/predictions*"):
        path.unlink()
    with pytest.raises(BenchError, match="has no predictions: their file is not there"):
        harness.load_results(tmp_path).predictions("bert-mini")
    path = tmp_path / "cells" / name / "record.json"
    record = json.loads(path.read_text())
    record.update(status="failed", score=None, metrics=None, error={"type": "FloatingPointError", "message": "the loss became nan", "traceback": ""})
    path.write_text(json.dumps(record))
    with pytest.raises(BenchError, match="has no predictions: it failed: FloatingPointError: the loss became nan"):
        harness.load_results(tmp_path).predictions("bert-mini")


def test_a_comparison_uses_only_the_cells_of_its_results(tmp_path):
    """Another run in one folder, of the same models with other settings, makes other rows of the same names."""
    every = harness.load_results(ROOT / "results")
    ours = [cell for cell in every.frame()["cell"] if cell.startswith("mini-ner") and "--full--" in cell]
    part = harness.Results(every.store, ours)
    assert part.compare("bert-mini", "gpt2-mini").frame()["task"].tolist() == ["mini-ner"]
    with pytest.raises(BenchError, match="unknown model 'all-o'"):
        part.compare("bert-mini", "all-o")


def test_names_are_escaped_in_a_notebook(tmp_path):
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


def test_model_objects_keep_their_name():
    (*_, cell) = harness.plan(Model("ours", "pkg:tasks/mini/models/bert-mini", max_length=32), "mini-ner", estimate=False).plan.cells
    assert (cell.model.name, cell.model.max_length) == ("ours", 32)


@pytest.mark.slow
def test_runs_of_one_process_share_a_fork_server(tmp_path):
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


@pytest.mark.slow
def test_a_run_in_a_child_process_does_not_disturb_its_parent(tmp_path):
    """A forked child has another process's fork server in its memory; a spawned one has its parent's folder of sockets."""
    script = tmp_path / "mine.py"
    script.write_text(
        textwrap.dedent("""
        import multiprocessing
        import harness

        def train(seed):
            found = harness.run(
                "bert-mini", "mini-sentiment", limit=20, seeds=[seed], settings={"epochs": 1}, baselines=False, progress=False, results="r"
            )
            print(seed, found, flush=True)

        if __name__ == "__main__":
            train(0)
            for seed, method in ((1, "fork"), (2, "spawn")):
                process = multiprocessing.get_context(method).Process(target=train, args=(seed,))
                process.start()
                process.join()
            train(3)
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.splitlines() == [f"{seed} <Results in r: 1 cells>" for seed in range(4)]


def test_a_list_of_columns_is_joined_wherever_columns_are_named(tmp_path):
    rows = [{"title": f"number {n}", "body": f"so {word}", "mood": mood} for n in range(20) for word, mood in (("good", "pos"), ("bad", "neg"))]
    pandas.DataFrame(rows).to_csv(tmp_path / "mail.csv", index=False)
    columns = {"text": ["title", "body"], "label": "mood"}
    path, _ = harness.new_task(tmp_path / "mail.csv", family="sentiment", output=tmp_path / "mail.yaml", columns=columns)
    tasks = [Task.from_file(path), Task.from_data(tmp_path / "mail.csv", "sentiment", columns=columns), Task.from_data(rows, "sentiment", **columns)]
    assert [task.columns["text"] for task in tasks] == [["title", "body"]] * 3
