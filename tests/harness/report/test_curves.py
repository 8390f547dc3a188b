"""Learning curves on the board: sizes stand beside the main table, never in it."""

import csv
import io
import json

import pytest
from made_curves import ALL, write_curve
from made_records import failed, record
from rich.console import Console

from harness.grouping.groups import main_places, records_by_place
from harness.published import Published
from harness.report.board import Board
from harness.report.formats import FORMATS, to_csv, to_json
from harness.report.markdown import render
from harness.report.model_choice import Limits, recommend
from harness.report.terminal import final_table
from harness.stats.row_comparison import compare
from harness.stats.standings import standings
from harness.store import Store


def at(size, model="bert", score=80.0, seed=0, task="films", **more):
    """A record of so many training rows; None: all 5,000."""
    rows = {"train": size or ALL, "validation": 200, "test": 200}
    facts = {"rows": rows, **({"train_rows": size, "train_rows_available": ALL} if size else {})}
    name = f"{task}-{model}-{size}-{seed}-{more.get('method', 'full')}"
    return record(task, model, score, seed, task_facts=facts, id=name, **more)


BOTH = [at(None, score=90.0), at(100, score=60.0), at(1000, score=80.0), at(None, "gpt", 85.0), at(100, "gpt", 70.0)]


def test_main_table_shows_trainings_on_all_rows():
    board, plain = Board.of(BOTH), Board.of([one for one in BOTH if "train_rows" not in one["task"]])
    assert [column.title for column in board.columns] == ["films"] and board.rows == plain.rows
    assert board.columns == plain.columns and board.notes == plain.notes == () and plain.curves == ()
    assert board.cells == 5
    [curve] = board.curves
    assert [(size.train_rows, size.rows, size.label) for size in curve.sizes] == [
        (100, 100, "100"), (1000, 1000, "1,000"), (None, ALL, "all 5,000"),
    ]  # fmt: skip
    assert [(line.title, [point and point.mean for point in line.points]) for line in curve.lines] == [
        ("bert", [60.0, 80.0, 90.0]), ("gpt", [70.0, None, 85.0]),
    ]  # fmt: skip
    assert curve.crossed is None and "one seed" in curve.notes[0]


def test_main_table_shows_the_largest_size_if_there_is_no_other():
    board = Board.of([at(100, score=60.0), at(1000, score=80.0), at(1000, "gpt", 70.0)])
    [column] = board.columns
    assert column.title == "films (1000 train rows)" and column.task == "films"
    assert [row.average for row in board.rows] == [80.0, 70.0]
    text = render(board)
    assert (
        "| films (1000 train rows) |" in text
        and "trained on: 1,000 of 5,000 training rows, others for each seed" in text
    )
    [single] = Board.of([at(100)]).columns
    assert single.title == "films (100 train rows)" and not Board.of([at(100)]).curves


def test_other_data_or_another_version_is_another_curve():
    other = [{**one, "task": {**one["task"], "fingerprint": "f" * 64}, "id": f"{one['id']}-other"} for one in BOTH]
    board = Board.of([*BOTH, *other])
    titles = ["films (data 0123456789ab)", "films (data ffffffffffff)"]
    assert [curve.task for curve in board.curves] == [column.title for column in board.columns] == titles
    places = records_by_place([*BOTH, *other])[0]
    assert len(places) == 10 and len(main_places(places)) == 4
    assert {where.task for where in places if where.train_rows == 100} == {
        f"{title} (100 train rows)" for title in titles
    }


def test_different_recipes_and_failures_are_noted():
    long = {"learning_rate": 3e-5, "batch_size": 32, "micro_batch_size": 8, "epochs": 20}
    bad = failed("films", "gpt")
    bad = {**bad, "task": {**bad["task"], "train_rows": 1000}, "id": "films-gpt-1000"}
    board = Board.of([*BOTH[:1], at(100, recipe=long), *BOTH[3:], bad])
    [curve] = board.curves
    assert "bert has other recipes at other sizes: epochs 20 at 100 rows; epochs 3 at all rows." in curve.notes
    assert [one.id for one in board.failures] == ["films-gpt-1000"]
    assert (curve.lines[1].points[1].mean, curve.lines[1].points[1].failed) == (None, 1)
    assert "failed ✗1" in render(board) and len(board.rows) == 2


def test_every_format_has_the_curves():
    board = Board.of(BOTH)
    lines = list(csv.DictReader(io.StringIO(to_csv(board))))
    assert [(line["task"], line["model"], line["train_rows"], line["mean"]) for line in lines] == [
        ("films", "bert", "5000", "90.0"), ("films", "gpt", "5000", "85.0"), ("films (100 train rows)", "bert", "100", "60.0"),
        ("films (100 train rows)", "gpt", "100", "70.0"), ("films (1000 train rows)", "bert", "1000", "80.0"),
    ]  # fmt: skip
    [curve] = json.loads(to_json(board))["curves"]
    assert [point and point["mean"] for point in curve["lines"][1]["points"]] == [70.0, None, 85.0]
    text = render(board)
    assert "## Learning curves" in text and "### Learning curve of films (accuracy)" in text
    assert [cell.strip() for cell in next(line for line in text.splitlines() if "100 rows" in line).split("|")[1:-1]] == [
        "model", "100 rows", "1,000", "all 5,000",
    ]  # fmt: skip
    assert r"gpt & 70.00 & -- & 85.00 \\" in FORMATS["latex"](board)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(final_table(board))
    assert "all 5,000" in console.export_text() and "70.00" in console.file.getvalue() + console.export_text()


def test_command_has_the_sizes_and_published_numbers_are_for_all_rows_only():
    board = Board.of(BOTH)
    assert board.commands == (
        "bench run --suite own --models bert,gpt --tasks films --methods full --seeds 1 --train-sizes 100,1000,all",
    )
    published = Published("hub/bert", "films", "csv: films.csv", "accuracy", 92.0, "test", "a paper")
    assert published.concerns(at(None)) and not published.concerns(at(100))


@pytest.fixture
def folder(tmp_path):
    skills = {"gpt": [0.75, 0.78, 0.79, 0.80], "bert": [0.55, 0.775, 0.90, 0.93], "third": [0.6, None, None, None]}
    return write_curve(tmp_path, skills, rows=200)


def test_curve_points_do_not_change_letters_ranks_or_advice(folder, tmp_path_factory):
    whole = Store(tmp_path_factory.mktemp("whole"))
    for one in folder.records():
        if "train_rows" not in one["task"]:
            whole.write(one, folder.predictions(one["id"]))
    for store in (folder, whole):  # a second task, for what is said over all tasks
        write_curve(store.root, {"gpt": [0.7], "bert": [0.8]}, (None,), "songs", rows=200)
    (with_curves, plain) = ((list(store.records()), store) for store in (folder, whole))
    boards = [Board.of(records, standings=standings(store, records)) for records, store in (with_curves, plain)]
    assert boards[0].rows == boards[1].rows and boards[0].overall == boards[1].overall
    assert recommend(boards[0], Limits()).best.row == recommend(boards[1], Limits()).best.row
    assert compare(folder, "gpt", "bert") == compare(whole, "gpt", "bert")
    assert [one.task for one in compare(folder, "gpt", "third", ["films (100 train rows)"])] == [
        "films (100 train rows)"
    ]
    [curve] = boards[0].curves
    assert [line.title for line in curve.lines] == ["bert", "gpt", "third"]
    assert all(point.low <= point.mean <= point.high for line in curve.lines for point in line.points if point)
    text = render(boards[0])
    assert "- gpt is ahead at 100 rows" in text and "95 % intervals" in text
