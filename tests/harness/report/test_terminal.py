import io

import pytest
from made_records import failed, record
from rich.console import Console

from harness.report.board import Board
from harness.report.record_view import show
from harness.report.terminal import final_table

TASKS = ("mini-sentiment", "mini-topics", "mini-ner", "mini-qa", "mini-translation")
MODELS = ("bert-mini", "gpt2-mini", "t5-mini")


def printed(renderable, width):
    out = io.StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def table_of(text):
    """The lines below the verdict, which ends with an empty one."""
    return text.partition("\n\n")[2].split("\n")


def grid(seeds):
    return [
        record(task, model, 80.0 + 2 * number + seed, seed)
        for task in TASKS for number, model in enumerate(MODELS) for seed in range(seeds)
    ]  # fmt: skip


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("width", [80, 160])
def test_three_models_and_five_tasks_fit(seeds, width):
    text = printed(final_table(Board.of(grid(seeds))), width)
    lines = table_of(text)
    mean = 84.0 + (seeds - 1) / 2
    row = next(line for line in lines if line.startswith("t5-mini"))
    assert row.count(f"*{mean:.2f}") == 6  # five tasks and the average, each on one line
    assert lines[0].split()[:5] == ["ner", "qa", "sentiment", "topics", "translation"]
    assert lines[1].split()[:2] == ["model", "accuracy"]
    assert max(map(len, lines)) <= width and "…" not in text
    assert ("GiB" in row) == (width == 160)


def test_many_tasks_and_few_models_are_transposed():
    tasks = [f"data-set-{number}@16" for number in range(17)]
    records = [record(task, model, 60.0 + place) for task in tasks for place, model in enumerate(("bert", "gpt2"))]
    text = printed(final_table(Board.of(records), "there/leaderboard.md"), 80)
    lines = table_of(text)
    assert lines[0].split() == ["task", "gpt2", "bert", "trivial"]
    assert sum("*61.00" in line and "60.00" in line and "50.00" in line for line in lines) == 18
    assert max(map(len, text.split("\n"))) <= 80
    # The verdict on so many tasks is not read on a terminal: the line over all of them, and where the others are.
    said = " ".join(text.partition("\n\n")[0].split())
    assert said.startswith("all 17 tasks: gpt2 has the highest average, 61.0") and "data-set-3@16: " not in said
    assert said.endswith("which model to take on each task: there/leaderboard.md")


def test_the_verdict_comes_first_and_no_word_is_broken():
    names = [f"some-organisation/a-model-with-a-long-name-{number}" for number in range(3)]
    records = [record(task, name, 80.0 + n) for task in TASKS for n, name in enumerate(names)]
    text = printed(final_table(Board.of(records)), 80)
    said = text.partition("\n\n")[0].split("\n")
    assert [line.partition(":")[0] for line in said if not line.startswith("  ")] == [*sorted(TASKS), "all 5 tasks"]
    assert all(line.startswith(("  ", "mini-", "all ")) for line in said) and max(map(len, said)) <= 80
    words = set(text.split())
    assert {f"{name}" for name in names} <= {word.rstrip(",;") for word in words}
    assert {"*82.00", "accuracy", "sentiment", "translation", "topics"} <= words


def test_columns_that_do_not_fit_are_split_into_several_tables():
    tasks = [f"a-rather-long-name-of-a-data-set-{number}" for number in range(6)]
    records = [record(task, model, 60.0 + n) for task in tasks for n, model in enumerate("abcdefgh")]
    lines = table_of(printed(final_table(Board.of(records)), 60))
    assert sum(line.startswith("model") for line in lines) > 1 and max(map(len, lines)) <= 60
    assert sum(line.count("67.00") for line in lines if line.startswith("h ")) == 7  # each task, and the average once


def test_marks_failures_and_notes_are_visible_without_colour():
    records = [
        record(score=50.0),
        failed("songs"),
        record("songs", "gpt2", 70.0),
        record(task="songs", version=1, protocol=2),
    ]
    text = printed(final_table(Board.of(records)), 120)
    assert (
        "50.00†" in text
        and "† not better" in text
        and "failed" in text
        and "failed ✗1" in text
        and "✗N so many seeds failed\n" in text
        and "note: The task songs" in text
    )


def test_mean_is_over_the_seeds_that_did_not_fail():
    text = printed(final_table(Board.of([record(seed=1), failed(seed=0), record(model="gpt2", seed=1)])), 120)
    assert "90.00✗1" in text and "✗N so many seeds failed; the mean is over the others" in text


def test_no_records():
    assert "no results" in printed(final_table(Board.of([])), 80)


@pytest.mark.parametrize("width", [80, 160])
def test_show(width):
    metrics = {
        "phenomena": {"negation": {"rows": 40, "score": 71.5}},
        "test": {"f1": 0.9, "per_type": {"[red]": {"f1": 0.5}}},
    }
    predictions = [{"id": f"r{number}", "prediction": "good", "reference": "good"} for number in range(9)]
    predictions += [{"id": "w", "prediction": "[bold]bad", "reference": ["well", "fine"]}]
    text = printed(show(record(metrics=metrics), predictions), width)
    for part in (
        "90.00 (accuracy)",
        "hub/bert",
        "learning_rate 3e-05",
        "per_type.[red].f1",
        "71.50",
        "0.2500",
        "10 s",
        "1.0 GiB",
    ):
        assert part in text
    assert "r2" in text and "r3" not in text and "[bold]bad" in text and '["well", "fine"]' in text
    assert "9 of 10 predictions" in text


def test_show_understands_answers():
    answers = {"answers": {"text": ["lisbon", "Lisbon"], "answer_start": [1, 1]}}
    empty = {"answers": {"text": [], "answer_start": []}}
    lines = [
        {"id": "a", "prediction": " lisbon", "reference": answers},
        {"id": "b", "prediction": "", "reference": empty},
        {"id": "c", "prediction": "rome", "reference": empty},
        {"id": "d", "prediction": ["B-PER"], "reference": ["B-PER"]},
    ]
    assert "3 of 4 predictions" in printed(show(record(), lines), 80)


def test_show_of_a_failed_cell_has_error_and_traceback():
    text = printed(show(failed(message="no [gpu] | here")), 80)
    assert "RuntimeError: no [gpu] | here" in text and "Traceback: deep inside" in text and "failed" in text
