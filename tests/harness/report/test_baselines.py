"""Boards with baselines: where they stand, what they mark, what is recommended beside them."""

import io
import json
import re

import pytest
from made_records import ENVIRONMENT, failed, record
from rich.console import Console
from typer.testing import CliRunner

from harness.cli.main import app
from harness.grouping.groups import records_by_place
from harness.grouping.row_names import command_name
from harness.report.board import Board
from harness.report.board_text import legend, marks
from harness.report.formats import to_csv, to_json
from harness.report.latex import to_latex
from harness.report.markdown import render
from harness.report.model_choice import Limits, recommend
from harness.report.terminal import final_table
from harness.stats.standings import Standing, Standings
from harness.store import Store


def baseline(task="films", name="tfidf", score=70.0, seed=0, **more):
    facts = {"architecture": "baseline", "source": f"baseline:{name}", "parameters": 0, **more.pop("model_facts", {})}
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "precision"}
    made = record(task, name, score, seed, method="baseline", model_facts=facts, environment=environment, **more)
    return {**made, "recipe": {}}


def board(*made, letters=None):
    """A board; `letters`: model → its letters in every column."""
    places = records_by_place(made)
    found = {where: Standing(letters[where.model], 0.0, 1.0) for where in places[0]} if letters else {}
    return Board.of(made, standings=Standings(found, [], places))


def entry(board, row, column="films"):
    return next(found for found in board.rows if found.title == row).entries[column]


def test_baselines_are_sorted_by_score_and_titled_by_name_only():
    found = board(baseline(score=95.0), record(model="weak", score=60.0), baseline(name="majority", score=60.0))
    assert [row.title for row in found.rows] == ["tfidf", "weak", "majority"]  # of equal ones the model first
    assert [row.is_baseline for row in found.rows] == [True, False, True]
    assert found.table_rows == found.rows  # all of them have a score on every task
    assert command_name(next(where for where in records_by_place([baseline()])[0])) == "tfidf"


def test_best_baseline_of_a_column():
    made = [baseline(), baseline(name="majority", score=50.0), baseline("books", score=10.0), record("books"), record()]
    columns = {column.title: column.hurdle for column in board(*made).columns}
    assert (columns["films"].model, columns["films"].mean) == ("tfidf", 70.0) and columns["books"].mean == 10.0
    assert Board.of([record()]).columns[0].hurdle is None
    assert board(record(), baseline(score=float("nan"))).columns[0].hurdle is None


@pytest.mark.parametrize(
    ("score", "flags"), [(69.0, ("baseline",)), (70.0, ("baseline",)), (70.1, ()), (45.0, ("baseline", "trivial"))]
)
def test_mean_not_above_the_best_baseline_is_flagged(score, flags):
    found = entry(board(baseline(), record(score=score)), "bert")
    assert found.flags == flags and marks(found) == ("†" if flags else "")
    assert found.best is (not flags)


def test_flag_compares_means_over_seeds():
    made = [record(score=score, seed=seed) for seed, score in enumerate((65.0, 80.0))]
    assert entry(board(baseline(), baseline(seed=1), *made), "bert").flags == ()


def test_mean_not_significantly_above_the_best_baseline_is_flagged_if_there_are_standings():
    made = (baseline(), record(score=71.0), baseline(name="majority", score=50.0))
    assert entry(board(*made), "bert").flags == ()
    assert entry(board(*made, letters={"bert": "a", "tfidf": "ab", "majority": "b"}), "bert").flags == ("unproven",)
    # That it shares a letter with a worse baseline only says nothing.
    assert entry(board(*made, letters={"bert": "ab", "tfidf": "c", "majority": "b"}), "bert").flags == ()


def test_all_baseline_flags_share_a_mark_and_the_legend_explains_the_used_ones():
    found = board(
        baseline(), record(model="low", score=40.0), record(model="near", score=71.0), record(model="far", score=90.0),
        letters={"tfidf": "b", "low": "c", "near": "ab", "far": "a"},
    )  # fmt: skip
    assert [marks(entry(found, name)) for name in ("low", "near", "far")] == ["†", "†", ""]
    (line,) = [line for line in legend(found) if line.startswith("†")]
    assert line == (
        "† not better than the trivial answer, or not better than the task's best baseline, or not told apart from the"
        " task's best baseline (level 0.05)"
    )
    (line,) = [line for line in legend(board(baseline(), record(score=69.0))) if line.startswith("†")]
    assert line == "† not better than the task's best baseline"


def test_baselines_have_no_baseline_flags_and_may_be_best():
    found = board(baseline(name="majority", score=50.0, constant=True), record(score=49.0, constant=True))
    assert entry(found, "majority").flags == () and entry(found, "majority").best
    assert entry(found, "bert").flags == ("baseline", "trivial", "constant") and not entry(found, "bert").best


def test_seeds_of_baselines_do_not_exclude_models():
    made = [baseline(seed=seed) for seed in range(3)]
    found = board(*made, record(score=80.0))
    assert entry(found, "bert").flags == () and entry(found, "bert").best
    models = [record(score=80.0, seed=seed) for seed in range(3)]
    assert entry(board(baseline(score=90.0), *models), "tfidf").best


def test_recipes_environments_and_commands_are_those_of_models():
    found = board(baseline(), record(seed=0), record(seed=1))
    assert found.columns[0].recipe["epochs"] == ((3, ()),)
    assert len(found.environments) == 1 and found.environments[0].cells == 2 and not found.notes
    assert found.commands == ("bench run --suite own --models bert --tasks films --methods full --seeds 2",)
    alone = board(baseline(), baseline("books", name="majority"))
    assert alone.commands == ("bench run --suite own --models majority,tfidf --tasks books,films --seeds 1",)
    assert alone.columns[0].recipe == {} and len(alone.environments) == 1 and "recipe: –" in render(alone)


def test_failed_baseline_is_not_the_best_baseline():
    lost = {**failed(model="tfidf"), "method": "baseline", "recipe": {}}
    found = board(lost, record(score=60.0))
    assert found.columns[0].hurdle is None and entry(found, "bert").flags == () and len(found.failures) == 1


def apart():
    """Two tasks with a baseline of their own each, and one that both have."""
    return board(
        record("films", score=80.0), record("books", score=60.0), record("films", "low", 62.0), record("books", "low", 53.0),
        baseline("films", "tfidf", 70.0), baseline("books", "window", 55.0), baseline("films", "majority", 50.0),
        baseline("books", "majority", 50.0), baseline("films", "coin", 20.0),
    )  # fmt: skip


def test_partial_baselines_are_combined_into_one_row():
    found = apart()
    assert [row.title for row in found.table_rows] == ["bert", "best baseline", "low", "majority"]
    best = found.table_rows[1]
    assert {task: entry.mean for task, entry in best.entries.items()} == {"films": 70.0, "books": 55.0}
    assert (best.average, best.is_baseline, best.best) == (62.5, True, False) and found.table_rows[0].best
    text = render(found)
    assert re.search(r"\| \*best baseline\* +\| +55\.00 .*70\.00 ", text)
    assert "- best baseline: window on books; tfidf on films." in text
    # All of them can be found: in a section of their own, in their tasks' sections, in CSV and JSON.
    section = text.partition("## Baselines")[2].partition("\n## ")[0]
    assert [line.replace(" ", "").split("|")[1:4] for line in section.strip().splitlines()[2:]] == [
        ["books", "window", "55.00"], ["books", "majority", "50.00"],
        ["films", "tfidf", "70.00"], ["films", "majority", "50.00"], ["films", "coin", "20.00"],
    ]  # fmt: skip
    assert "| *coin* " in text and "best baseline" not in to_csv(found) and ",20.0," in to_csv(found)
    assert "coin" in [row["title"] for row in json.loads(to_json(found))["rows"]]
    shown = io.StringIO()
    Console(file=shown, width=80).print(final_table(found))
    assert "coin" not in shown.getvalue() and "tfidf on films" in shown.getvalue()
    assert "coin" not in to_latex(found) and "best baseline: window on books" in to_latex(found)


def test_best_average_may_be_that_of_the_combined_row():
    found = board(
        record("films", score=60.0), record("books", score=60.0), baseline("films", "tfidf", 70.0),
        baseline("books", "window", 55.0),
    )  # fmt: skip
    assert [(row.title, row.best) for row in found.table_rows] == [("best baseline", False), ("bert", False)]
    two = board(*[record(task, model, 60.0 + n) for task in ("films", "books") for n, model in enumerate(("a", "b"))],
                baseline("films", "tfidf", 70.0), baseline("books", "window", 65.0))  # fmt: skip
    assert [(row.title, row.best) for row in two.table_rows] == [("best baseline", True), ("b", False), ("a", False)]


def test_combined_row_has_no_entry_for_a_task_whose_baselines_failed():
    lost = {**failed("books", "window"), "method": "baseline", "recipe": {}}
    found = board(record("films"), record("books"), baseline("films"), lost)
    assert found.table_rows[-1].title == "best baseline" and set(found.table_rows[-1].entries) == {"films"}
    assert found.table_rows[-1].average is None
    assert [row.title for row in board(record("films"), record("books"), lost).table_rows] == ["bert"]


def test_rows_of_a_task_are_sorted_by_its_score():
    text = render(apart()).partition("## books\n")[2]
    assert re.findall(r"(?m)^\| \*?(\w+)\*? +\| +\**\d", text.partition("\n## ")[0]) == ["bert", "window", "low", "majority"]


def test_formats():
    found = board(baseline(), record(score=60.0))
    text = render(found)
    assert "| *tfidf* " in text and "*Italics*: baselines" in text and "| tfidf | baseline" in " ".join(text.split())
    assert "*Italics*" not in render(board(record()))
    assert json.loads(to_json(found))["columns"][0]["hurdle"] == {"model": "tfidf", "mean": 70.0}
    line = next(line for line in to_csv(found).splitlines() if line.startswith("bert,"))
    assert line.startswith("bert,full,films,1,60.0") and ",baseline," in line


def test_recommendation_names_baselines_that_are_as_good():
    made = [record("films", score=60.0), baseline(), record("books", score=90.0), baseline("books", score=55.0)]
    found = recommend(board(*made), Limits())
    assert found.best.row.title == "bert" and [column.title for column in found.best.below] == ["films"]
    assert found.best.unproven == () and [one.row.title for one in found.candidates] == ["bert", "tfidf"]
    sure = recommend(board(*made, letters={"bert": "a", "tfidf": "a"}), Limits())
    assert [column.title for column in sure.best.unproven] == ["books"]


def test_of_equal_rows_the_baseline_is_recommended():
    assert recommend(board(baseline(), record(score=70.0)), Limits()).best.row.title == "tfidf"


def test_baselines_fit_every_limit_of_parameters_but_must_beat_the_trivial_answer():
    made = [baseline(score=60.0), record(score=80.0), baseline(name="majority", score=50.0)]
    found = recommend(board(*made), Limits(parameters=10))
    assert found.best.row.title == "tfidf"
    assert {one.row.title: (one.fits, one.useful) for one in found.candidates} == {
        "tfidf": (True, True), "majority": (True, False), "bert": (False, True),
    }  # fmt: skip


@pytest.mark.parametrize("width", ["80", "160"])
def test_recommend_command(tmp_path, width):
    store = Store(tmp_path)
    for one in (baseline(), record(score=60.0), record("books", score=90.0), baseline("books", score=55.0)):
        store.write(one)
    words = ["recommend", "--results", str(tmp_path)]
    both = CliRunner().invoke(app, words, env={"COLUMNS": width}).output
    assert "Fine-tune bert: 75.00 on 2 tasks" in both
    assert "But a baseline is as good or better: tfidf has 70.00 on films." in " ".join(both.split())
    one = CliRunner().invoke(app, [*words, "--task", "films"], env={"COLUMNS": width}).output
    assert "No model that was tried beats the baseline tfidf: it has 70.00 on films." in " ".join(one.split())
    assert max(map(len, (both + one).splitlines())) <= int(width)
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert told["baseline"] is False and told["candidates"][0]["below_baseline"] == ["films"]
