"""`bench compare` on records and predictions whose differences are known."""

import json
import random
import shutil

import pytest
from made_records import record
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import BenchError
from harness.grouping.groups import records_by_place
from harness.stats.column_statistics import compute_column
from harness.stats.row_comparison import compare
from harness.store import Store

ROWS = 200


def write(store, task, model, wrong, seed=0, method="full", ids=None, **more):
    """A cell that has the rows numbered `wrong` wrong."""
    lines = [
        {"id": name, "prediction": "bad" if number in wrong else "good", "reference": "good"}
        for number, name in enumerate(ids or [f"r{number}" for number in range(ROWS)])
    ]
    score = 100 * (ROWS - len(wrong)) / ROWS
    made = record(task, model, score, seed, method=method, primary_metric="accuracy", **more)
    store.write(made, lines)
    return made


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    for seed in range(3):
        write(store, "films", "a", set(range(seed, 20 + seed)), seed)
        write(store, "films", "b", set(range(seed, 60 + seed)), seed)
        write(store, "books", "a", set(range(30 + seed)), seed)
        write(store, "books", "b", set(range(31, 60 + seed)), seed)
        write(store, "films", "a", set(range(100 + seed)), seed, "scratch")
    write(store, "plays", "a", {1})
    return store


def test_a_real_difference_and_none(store):
    books, films = compare(store, "a", "b")
    assert (films.task, films.verdict, films.metric) == ("films", 1, "accuracy")
    assert films.difference.value == pytest.approx(20.0) and films.difference.low > 10 and films.p < 0.001
    assert films.difference.seeds == 3 and films.difference.rows == ROWS and films.difference.p_randomised < 0.001
    assert books.verdict == 0 and books.p >= books.difference.p and books.difference.low < 0 < books.difference.high
    mirrored = {one.task: one for one in compare(store, "b", "a")}
    assert mirrored["films"].verdict == -1 and mirrored["films"].difference.value == pytest.approx(-20.0)


def test_methods_are_rows_and_tasks_can_be_chosen(store):
    [films] = compare(store, "a", "a:scratch", ["films"])
    assert films.theirs == pytest.approx(49.5) and films.verdict == 1


def test_only_common_seeds_are_compared(store):
    write(store, "films", "c", set(range(20)), 1)
    [films] = compare(store, "a", "c")
    assert films.difference.seeds == 1 and films.difference.seed_error is None and films.ours == pytest.approx(90.0)


def test_p_is_the_same_as_on_the_board(tmp_path, monkeypatch):
    """Both look at what all rows of the column show of the luck of seeds, and at no other column."""
    monkeypatch.setenv("BENCH_CACHE", "off")
    store, chance = Store(tmp_path), random.Random(3)
    for task in ("films", "books"):
        for model, off in (("a", 20), ("b", 32), ("c", 30), ("d", 60)):
            for seed in range(3):
                write(store, task, model, set(chance.sample(range(150), off + chance.randint(-6, 6))), seed)
    [films] = compare(store, "a", "b", ["films"])
    places, _ = records_by_place(store.records())
    rows = {where: {one["seed"]: one for one in own} for where, own in places.items() if where.task == "films"}
    on_board = {(one, other): p for one, other, p in compute_column(store, rows, None).p}
    assert on_board["a\nfull", "b\nfull"] == films.difference.p and films.difference.seed_degrees == 4.0
    assert compare(store, "b", "a", ["films"])[0].difference.p == pytest.approx(films.difference.p, rel=1e-12)
    for one in list(store.records()):
        if one["model"]["name"] in "cd":
            shutil.rmtree(store.folder(one["id"]))
    [alone] = compare(store, "a", "b", ["films"])
    assert alone.difference.seed_degrees == 2.0 and alone.difference.p > films.difference.p


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "x"), "unknown model 'x'.*valid: a, a:scratch, b"),
        (("a", "a"), "are the same row; name two"),
        (("a", "b", ["film"]), "unknown task 'film'; did you mean 'films'"),
        (("b", "a:scratch", ["plays"]), "no task and seed in common"),
    ],
)
def test_rows_that_cannot_be_compared_are_errors(store, words, message):
    with pytest.raises(BenchError, match=message):
        compare(store, *words)


def test_different_rows_and_changed_or_missing_files_are_errors(store):
    write(store, "films", "d", set(range(9)), 0, ids=[f"other{number}" for number in range(ROWS)])
    with pytest.raises(BenchError, match="not tested on the same rows"):
        compare(store, "a", "d")
    made = write(store, "films", "e", set(range(9)), 0)
    path = store.folder(made["id"]) / "predictions.jsonl"
    path.write_text(path.read_text().replace('"bad"', '"good"', 3))
    with pytest.raises(BenchError, match=r"predictions score 97.0000 and its record says 95.5000"):
        compare(store, "a", "e")
    path.unlink()
    with pytest.raises(BenchError, match=r"predictions.jsonl is missing"):
        compare(store, "a", "e")


@pytest.mark.parametrize("width", ["80", "160"])
def test_compare_command(store, width):
    done = CliRunner().invoke(app, ["compare", "a", "b", "--results", str(store.root)], env={"COLUMNS": width})
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= int(width)
    assert "a is better on 1 task, b on 0 tasks; on 1 task the two cannot be told apart" in " ".join(
        done.output.split()
    )
    found = CliRunner().invoke(app, ["compare", "a", "b", "--json", "--results", str(store.root)])
    rows = json.loads(found.output)
    assert [row["verdict"] for row in rows] == [0, 1] and set(rows[0]["difference"]) >= {"low", "high", "p_randomised"}
    # On films 40 rows of each seed are a's alone, and none is b's: nothing bounds the ratio from above.
    share = 0.025 ** (1 / 40)
    assert rows[1]["odds_ratio"] == {"value": None, "low": pytest.approx(share / (1 - share)), "high": None}
    assert "10.35 … ∞" in done.output
