"""Names: from a board to the command that reproduces it, and from the command line to a row."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_records import record

from harness.errors import BenchError
from harness.grouping.groups import records_by_place
from harness.grouping.row_names import command_name, row_named
from harness.grouping.titles import distinguishing
from harness.planning.option_values import join_names, read_names
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.report.board import Board
from harness.report.commands import commands
from harness.store import Store

ROOT = Path(__file__).resolve().parents[3]
ROWS = "tweet,mood,other\n" + "".join(
    f"the room {number} was {word},{word},{number % 3}\n" for number in range(20) for word in ("good", "bad")
)
TASKS = {
    "a quick task": ["--tasks", "sentiment:./x.csv", "--column", "text=tweet", "--column", "label=mood"],
    "a column with a blank and a quote": ["--tasks", "sentiment:./odd.csv", "--column", "text=it's a text", "--column", "label=$mood"],
    "a task file": ["--tasks", "./sub/own.yaml"],
    "a file with a comma": ["--tasks", "sentiment:./a,b + c.csv", "--column", "text=tweet", "--column", "label=mood"],
    "two with commas": ["--tasks", '"sentiment:./a,b + c.csv","sentiment:./c,d.csv"', "--column", "text=tweet", "--column", "label=mood"],
    "a limit": ["--tasks", "sentiment:./x.csv", "--column", "text=tweet", "--column", "label=mood", "--limit", "20"],
    "a suite file": ["--suite", "./my suite.yaml", "--tasks", "all"],
}  # fmt: skip


def bench(folder, *words):
    return subprocess.run(
        [sys.executable, "-P", "-m", "harness", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BENCH_ESTIMATE": "false"},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for name in ("x.csv", "a,b + c.csv", "c,d.csv"):
        (tmp_path / name).write_text(ROWS)
    (tmp_path / "odd.csv").write_text(ROWS.replace("tweet,mood", "it's a text,$mood", 1))
    (tmp_path / "sub").mkdir()
    task = "family: sentiment\ndata: {format: csv, files: ../x.csv}\ncolumns: {text: tweet, label: mood}\n"
    (tmp_path / "sub" / "own.yaml").write_text(task)
    (tmp_path / "my suite.yaml").write_text("models: [majority]\ntasks: [sub/own.yaml]\n")
    return tmp_path


@pytest.mark.parametrize("name", TASKS)
def test_the_command_on_a_board_reproduces_it(folder, name):
    done = bench(folder, "run", "--models", "majority", *TASKS[name], "--results", "r")
    assert done.returncode == 0, done.stderr
    (line,) = re.findall(r"^bench run .*$", (folder / "r" / "leaderboard.md").read_text(), re.MULTILINE)
    again = bench(folder, *shlex.split(line)[1:], "--results", "r")
    assert again.returncode == 0 and re.search(r"cells: (\d+) finished, 0 to run", again.stdout), (
        line,
        again.stdout,
        again.stderr,
    )


def test_the_command_has_settings_and_the_path_of_the_model(folder, checkpoints, monkeypatch):
    monkeypatch.chdir(folder)
    for place_ in ("a", "b"):
        shutil.copytree(checkpoints("bert"), f"models/{place_}/best")
    config = Path("models/b/best/config.json")
    config.write_text(config.read_text().replace("{", '{"note": 1,', 1))
    request = Request(
        ["./models/a/best", "models/b/best"],
        ["sentiment:./x.csv"],
        settings={"lr": "1e-3", "epochs": "2"},
        columns={"text": "tweet", "label": "mood"},
    )
    made = make_plan(request)
    records = [
        record(
            task_facts=cell.facts()["task"],
            model_facts=cell.facts()["model"],
            typed=cell.facts()["typed"],
            suite=None,
            id=cell.id,
        )
        for cell in made.cells
    ]
    board = Board.of(records)
    assert [row.title for row in board.rows] == ["a/best", "b/best"]
    assert any("models are called best" in note for note in made.notes)
    (line,) = board.commands
    assert line == (
        "bench run --models ./models/a/best,models/b/best --tasks sentiment:./x.csv --column text=tweet --column label=mood "
        "--methods full --seeds 1 --set recipe.learning_rate=1e-3 --set recipe.epochs=2"
    )


def test_typed_names_are_not_part_of_a_cells_identity(folder, checkpoints, monkeypatch):
    monkeypatch.chdir(folder)
    columns = {"text": "tweet", "label": "mood"}
    shutil.copytree(checkpoints("bert"), "a/best")
    (one,) = make_plan(Request(["./a/best"], ["sentiment:./x.csv"], columns=columns)).cells
    (other,) = make_plan(Request([str(folder / "a" / "best")], [f"sentiment:{folder}/x.csv"], columns=columns)).cells
    assert one.id == other.id and one.facts()["typed"] != other.facts()["typed"]
    assert one.facts()["typed"]["columns"] == ["text=tweet", "label=mood"]


def typed(model="bert", task="films", **settings):
    return {"model": model, "task": task, **({"settings": settings} if settings else {})}


def test_old_records_have_commands_as_before():
    assert Board.of([record()]).commands == (
        "bench run --suite own --models bert --tasks films --methods full --seeds 1",
    )


def test_data_of_the_same_name_are_distinguished_by_folder_or_content():
    records = [
        record(
            task_facts={"fingerprint": digit * 64, "rows": {"train": 6}},
            typed=typed(task=f"sentiment:./{path}/films.csv"),
            id=f"x{number}",
        )
        for number, (digit, path) in enumerate([("1", "a"), ("2", "b")])
    ]
    assert [column.title for column in Board.of(records).columns] == ["films (a/films.csv)", "films (b/films.csv)"]
    for one in records:
        one["typed"]["task"] = "sentiment:./films.csv"  # the file has changed between two runs
    assert [column.title for column in Board.of(records).columns] == [
        "films (data 111111111111)",
        "films (data 222222222222)",
    ]


def test_paths_are_distinguished_by_their_shortest_ends():
    assert distinguishing({"x": "./a/m", "y": "./b/m"}) == {"x": "a/m", "y": "b/m"}
    assert distinguishing({"x": "/r/1/a/m", "y": "/r/2/a/m", "z": "/r/2/b/m"}) == {
        "x": "1/a/m",
        "y": "2/a/m",
        "z": "2/b/m",
    }
    assert distinguishing({"x": "m", "y": "../m"}) == {"x": "m", "y": "../m"}
    assert distinguishing({"x": "./a/m", "y": "a/m"}) == {}


def test_two_learning_rates_never_share_a_row():
    """On one task they are two rows anyway; on two tasks an average of both would be one of unlike recipes."""
    recipe = record()["recipe"]
    records = [
        record("films", typed=typed(epochs="8"), recipe={**recipe, "epochs": 8}),
        record("cities", typed=typed(task="cities", learning_rate="1e9"), recipe={**recipe, "learning_rate": 1e9}),
        record("news", typed=typed(task="news")),
    ]
    board = Board.of(records)
    assert len(board.rows) == 3 and all(row.average is None for row in board.rows)
    assert any(
        "was trained with different recipes, which are not averaged" in note and "learning_rate 1000000000.0" in note
        for note in board.notes
    )
    same = Board.of(
        [record("films", typed=typed(epochs="8")), record("cities", typed=typed(task="cities", epochs="8"))]
    )
    assert len(same.rows) == 1 and not any("different recipes" in note for note in same.notes)
    rules = Board.of(
        [record("films", typed=typed()), record("cities", typed=typed(task="cities"), recipe={**recipe, "epochs": 9})]
    )
    assert len(rules.rows) == 1  # rules may give tasks different recipes


def places():
    facts = {"digest": "abcdef0123456789", "source": "./best"}
    records = [
        record(model="bert-mini", suite="mini", typed=typed("bert")), record(model="gpt2-mini", suite="mini"),
        record(model="best", suite=None, model_facts=facts, typed=typed("./models/best")),
        record(model="roberta", model_facts={"source": "FacebookAI/roberta-base@123"}), record(model="bert-mini", suite="mini", method="lora"),
    ]  # fmt: skip
    return records_by_place(records)[0]


@pytest.mark.parametrize(
    ("name", "title"),
    [("bert-mini", "bert-mini"), ("bert", "bert-mini"), ("gpt2", "gpt2-mini"), ("./models/best", "best"), ("models/../models/best", "best"),
     (os.path.abspath("models/best"), "best"), ("abcdef01", "best"), ("FacebookAI/roberta-base", "roberta"), ("bert:lora", "bert-mini:lora")],
)  # fmt: skip
def test_rows_are_named_by_alias_path_repository_or_digest(name, title):
    assert row_named(name, places(), "results") == title


@pytest.mark.parametrize(
    ("name", "words"),
    [("brt-mini", "did you mean 'bert-mini'"), ("abc", "unknown model 'abc'"), ("bert:frozen", "unknown model")],
)
def test_unknown_rows_are_errors(name, words):
    with pytest.raises(BenchError, match=words):
        row_named(name, places(), "results")


def test_an_ambiguous_name_is_an_error():
    facts = [{"digest": f"{digit}234567890", "source": "./best"} for digit in "12"]
    found = records_by_place(
        record(model="best", model_facts=one, typed=typed(f"./{number}/best"), id=str(number))
        for number, one in enumerate(facts)
    )[0]
    assert sorted(map(command_name, found)) == ["0/best", "1/best"]
    with pytest.raises(BenchError, match="several rows are called 'best'; name one of: 0/best, 1/best"):
        row_named("best", found, "results")


@pytest.mark.parametrize(
    "names", [["a", "b"], ["sentiment:./x,y.csv"], ["sentiment:./x,y.csv", "mini-ner"], ["a b", "c,d", "e,f"]]
)
def test_names_with_commas_are_written_and_read(names):
    assert read_names(join_names(names), "--tasks") == names


def test_a_file_whose_name_has_a_comma_needs_no_quotes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x,y.csv").write_text("")
    assert read_names("sentiment:./x,y.csv", "--tasks") == ["sentiment:./x,y.csv"]
    assert read_names("a,sentiment:./x,y.csv,b", "--tasks") == ["a", "sentiment:./x,y.csv", "b"]
    Path("x").write_text("")  # then both may be meant
    assert read_names("sentiment:./x,y.csv", "--tasks") == ["sentiment:./x", "y.csv"]


def test_a_name_split_at_its_comma_is_an_error_with_a_cure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError, match=r"no such file.*; a name with a comma stands in double quotes"):
        make_plan(Request(["majority"], read_names("sentiment:./x,z.csv", "--tasks")))


def test_compare_names_missing_tasks(tmp_path):
    store = Store(tmp_path)
    for one in (record("films", "bert"), record("cities", "gpt2", id="c")):
        store.write(one, [{"id": "1", "prediction": "a", "reference": "a"}])
    done = bench(tmp_path, "compare", "bert", "gpt2", "--results", str(tmp_path))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "bert was not run on cities; gpt2 was not run on films" in done.stderr


def test_a_cell_of_a_very_long_name_has_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "é" * 120
    Path(f"{name}.csv").write_text(ROWS)
    (cell,) = make_plan(
        Request(["majority"], [f"sentiment:./{name}.csv"], columns={"text": "tweet", "label": "mood"})
    ).cells
    assert len(os.fsencode(cell.id)) <= 255
    Store(tmp_path / "r").folder(cell.id)


def test_settings_of_one_model_make_one_command_each():
    records = [
        record(typed=typed(epochs="8"), recipe={"epochs": 8}),
        record(typed=typed(), recipe={"epochs": 3}, id="y"),
    ]
    assert [("--set recipe.epochs=8" in line) for line in commands(records_by_place(records)[0])] == [False, True]


def test_a_kept_head_is_a_row_of_its_own():
    """Two cells of one model and seed, of which one went on from the model's own head, are no two records of the same."""
    kept = record(model="bert", score=99.0, model_facts={"keep_head": True}, id="kept")
    (places, notes) = records_by_place([record(model="bert", score=90.0), kept])
    assert sorted(one.model for one in places) == ["bert (head kept)", "bert (head new)"]
    assert not any("newest counts" in note for note in notes)
