"""What a board says first: which model to fine-tune, that several tie, that nothing beats a baseline, or that trainings failed."""

import io
import json

import pytest
from made_records import ENVIRONMENT, failed, record
from rich.console import Console

from harness.grouping import board_records as parts
from harness.grouping.board_records import BoardRecords
from harness.grouping.groups import records_by_place
from harness.report.board import Board
from harness.report.board_text import legend, marks
from harness.report.formats import to_json
from harness.report.markdown import render
from harness.report.terminal import final_table
from harness.report.verdict import verdict
from harness.stats.standings import Lead, Standing, Standings
from harness.trouble import Trouble


def baseline(score=76.0, name="tfidf-lr", task="airline"):
    facts = {"architecture": "baseline", "source": f"baseline:{name}", "parameters": 0}
    made = record(task, name, score, method="baseline", model_facts=facts, environment=ENVIRONMENT)
    return {**made, "recipe": {}}


def model(name, score, seed=0, seconds=34.0, task="airline", **more):
    cost = {"train_seconds": seconds, "peak_memory_bytes": 600 * 2**20}
    return record(task, name, score, seed, cost=cost, **more)


def seeds(name, *scores, **more):
    return [model(name, score, seed, **more) for seed, score in enumerate(scores)]


def board(*made, letters=None, behind=None):
    """A board; `letters` and `behind`: of models, in every column."""
    kept = BoardRecords.of(made)
    places = records_by_place(kept)
    found = {
        where: Standing(letters[where.model], 0.0, 1.0, behind=(behind or {}).get(where.model)) for where in places[0]
    } if letters else {}  # fmt: skip
    return Board.of(kept, standings=Standings(found, [], places))


def line(*made, **more):
    (said,) = verdict(board(*made, **more)).lines()
    return said


BEHIND = {"tfidf-lr": Lead(5.2, 2.1, 8.3), "bert-mini": Lead(1.0, -1.2, 3.2)}


def test_one_model_is_significantly_better_than_the_next_and_the_baseline():
    made = [*seeds("minilm", 81.0, 81.2), *seeds("bert-mini", 80.0, 80.2), baseline()]
    letters = {"minilm": "a", "bert-mini": "b", "tfidf-lr": "c"}
    assert line(*made, letters=letters, behind={**BEHIND, "bert-mini": Lead(1.0, 0.2, 1.8)}) == (
        "airline: fine-tune minilm: 81.1 accuracy, +5.2 (2.1 to 8.3) over tfidf-lr, the best baseline, +1.0 (0.2 to 1.8)"
        " over bert-mini; trains in 34 s, 600 MiB, 4.4M parameters"
    )


def test_with_one_seed_a_lead_is_not_proven_and_no_tie():
    made = [model("minilm", 81.1), model("bert-mini", 80.1), baseline()]
    letters = {"minilm": "a", "bert-mini": "a", "tfidf-lr": "b"}
    assert line(*made, letters=letters, behind=BEHIND) == (
        "airline: fine-tune minilm, ahead but not proven: 81.1 accuracy (one seed), +5.2 (2.1 to 8.3) over tfidf-lr, the best"
        " baseline, +1.0 (-1.2 to 3.2) over bert-mini; trains in 34 s, 600 MiB, 4.4M parameters"
    )
    # Nor is it proven where nobody has looked, or where only the baseline cannot be told apart.
    assert "ahead but not proven: 81.1 accuracy (one seed), +5.1 over tfidf-lr" in line(*made)
    assert "ahead but not proven" in line(*made, letters={"minilm": "a", "bert-mini": "b", "tfidf-lr": "a"})


def test_several_tie_and_the_cheapest_is_named():
    made = [*seeds("minilm", 81.0, 81.2), *seeds("bert-mini", 80.0, 80.2, seconds=9.0), baseline()]
    letters = {"minilm": "a", "bert-mini": "a", "tfidf-lr": "b"}
    assert line(*made, letters=letters, behind=BEHIND) == (
        "airline: minilm and bert-mini tie: 81.1 and 80.1 accuracy, +1.0 (-1.2 to 3.2); fine-tune bert-mini, the cheaper: trains"
        " in 9.0 s, 600 MiB, 4.4M parameters; both beat tfidf-lr (76.0), the best baseline"
    )
    # A lead whose interval is above zero is no tie, though the test over all pairs of the board does not tell the two apart.
    ahead = line(*made, letters=letters, behind={**BEHIND, "bert-mini": Lead(1.0, 0.2, 1.8)})
    assert ahead.startswith("airline: fine-tune minilm, ahead but not proven: 81.1 accuracy, ")


def test_of_tied_models_one_that_beats_the_baseline_is_chosen():
    made = [
        *seeds("minilm", 90.0, 72.2), *seeds("bert-mini", 80.0, 80.2), *seeds("gpt", 79.0, 79.2, seconds=9.0),
        *seeds("tiny", 78.0, 78.2, seconds=1.0), baseline(),
    ]  # fmt: skip
    letters = {"minilm": "ab", "bert-mini": "a", "gpt": "a", "tiny": "ab", "tfidf-lr": "b"}
    behind = {name: Lead(1.0, -9.0, 11.0) for name in letters if name != "minilm"}
    assert line(*made, letters=letters, behind=behind).startswith(
        "airline: minilm, bert-mini, gpt and tiny tie: 81.1, 80.1, 79.1 and 78.1 accuracy; fine-tune gpt, the cheapest of those"
        " shown to beat tfidf-lr (76.0), the best baseline: trains in 9.0 s"
    )
    alone = {**letters, "gpt": "ab"}
    assert "fine-tune bert-mini, the only one shown to beat tfidf-lr (76.0)" in line(*made, letters=alone, behind=behind)
    none = dict.fromkeys(letters, "a")
    said = line(*made, letters=none, behind=behind)
    assert "fine-tune tiny, the cheapest: " in said and said.endswith("none is shown to beat tfidf-lr (76.0), the best baseline")


def test_nothing_beats_the_baseline():
    made = [model("minilm", 75.0), model("bert-mini", 74.0), baseline()]
    letters = {"minilm": "a", "bert-mini": "a", "tfidf-lr": "a"}
    behind = {"tfidf-lr": Lead(-1.0, -3.5, 1.5), "bert-mini": Lead(1.0, -1.2, 3.2)}
    assert line(*made, letters=letters, behind=behind) == (
        "airline: no model beats tfidf-lr, the best baseline (76.0 accuracy); minilm has 75.0, -1.0 (-3.5 to 1.5)"
    )
    assert line(model("minilm", 45.0)) == (
        "airline: no model beats the trivial answer yet (50.0 accuracy); minilm has 45.0, -5.0; minilm: not better than the"
        " trivial answer (45.0, 50.0); try --search auto"
    )


@pytest.fixture
def troubled(monkeypatch):
    """Trainings below 60 count as failed, those below 76 as short."""

    def trouble(made):
        if made["status"] != "ok" or made["method"] == "baseline" or made["score"] >= 76:
            return []
        if made["score"] < 60:
            return [Trouble("constant", "the same prediction for every row", "--search auto", True)]
        return [Trouble("few-steps", "12 steps only", "--set recipe.epochs=10")]

    monkeypatch.setattr(parts, "trouble", trouble)


def test_trainings_that_fell_short_are_named_with_what_to_try(troubled):
    made = [model("minilm", 75.0), model("bert-mini", 51.0), baseline()]
    said = line(*made)
    assert said == (
        "airline: no model beats tfidf-lr yet, the best baseline (76.0 accuracy); minilm has 75.0, -1.0; minilm: 12 steps only;"
        " try --set recipe.epochs=10; bert-mini: the same prediction for every row; try --search auto"
    )
    lost = failed("airline", "gpt")
    said = line(model("minilm", 75.5, id="fine"), lost, baseline(75.6))
    assert "tfidf-lr yet, the best baseline (75.6 accuracy); " in said and f"gpt: RuntimeError: out of memory (bench show {lost['id']})" in said


def test_failed_trainings_are_named_with_what_to_try(troubled):
    both = [model("minilm", 51.0), model("bert-mini", 52.0), baseline()]
    assert line(*both) == (
        "airline: no model was trained well; bert-mini and minilm: the same prediction for every row; try"
        " --search auto; tfidf-lr, the best baseline, has 76.0 accuracy"
    )
    lost = failed("airline", "gpt")
    assert line(lost, baseline()) == (
        f"airline: every training failed; gpt: RuntimeError: out of memory (bench show {lost['id']}); tfidf-lr, the best"
        " baseline, has 76.0 accuracy"
    )
    # Others that went well are the answer, and nothing is told about a model by a training that failed.
    said = line(model("minilm", 81.1), model("bert-mini", 51.0), lost, baseline())
    assert said.startswith("airline: fine-tune minilm") and "over bert-mini" not in said
    assert said.endswith("; the trainings of bert-mini and gpt failed")


def test_collapsed_seeds_say_nothing_about_the_model():
    said = line(*seeds("minilm", 51.0, 92.0, 92.1), baseline())
    assert said.startswith("airline: no model was trained well; minilm: 1 of 3 seeds collapsed: 51.0, the others 92.0 to 92.1")


def test_failed_trainings_are_marked_and_explained_in_a_note(troubled):
    found = board(*seeds("minilm", 81.0, 82.0), *seeds("bert-mini", 59.0, 77.0), *seeds("gpt", 55.0, 56.0), baseline())
    entries = {row.title: row.entries["airline"] for row in found.rows}
    assert {name: marks(entry) for name, entry in entries.items()} == {
        "minilm": "", "bert-mini": "†!", "gpt": "†!", "tfidf-lr": "",
    }  # fmt: skip
    assert [name for name, entry in entries.items() if entry.untrained] == ["gpt"]
    assert found.columns[0].running == ("minilm", "bert-mini")
    assert "! a training failed (for one seed at least), and its score says nothing about the model" in legend(found)
    told = "bert-mini on airline (seed 0): the same prediction for every row; likewise gpt; try --search auto"
    assert f"- Trouble: {told}." in render(found)
    shown = io.StringIO()
    Console(file=shown, width=200).print(final_table(found))
    assert f"note: {told}\n" in shown.getvalue()


def test_a_failed_training_is_not_the_best_of_its_column(troubled):
    made = [model("gpt", 55.0, trivial_score=10.0), model("minilm", 40.0, trivial_score=10.0), baseline(30.0)]
    assert not any(row.entries["airline"].best for row in board(*made).rows if not row.is_baseline)


def test_random_weights_and_fewer_seeds_are_mentioned_but_not_chosen():
    made = [
        *seeds("minilm", 81.0, 81.2), model("gpt", 88.0), *seeds("minilm", 84.0, 84.2, method="scratch"), baseline(),
    ]  # fmt: skip
    found = board(*made)
    assert found.columns[0].running == ("minilm",)
    assert verdict(found).lines()[0].endswith(
        "; gpt has 88.0, but fewer seeds; minilm · scratch has 84.1, but from random weights"
    )
    assert board(*seeds("minilm", 84.0, method="scratch")).columns[0].running == ("minilm · scratch",)


def two_tasks(*, one=81.0, other=61.0):
    return [
        model("minilm", one), model("minilm", other, task="books"), model("gpt", 78.0), model("gpt", 60.0, task="books"),
        baseline(), baseline(50.5, "window", "books"),
    ]  # fmt: skip


def test_one_line_over_all_tasks():
    lines = verdict(board(*two_tasks())).lines()
    assert len(lines) == 3 and lines[-1] == (
        "all 2 tasks: minilm has the highest average, 71.0, +7.8 over the best baselines, +2.0 over gpt, and is best on 2 of them;"
        " trains in 34 s, 600 MiB, 4.4M parameters; one seed: intervals are over the test rows alone, --seeds 3 tells more"
    )
    low = verdict(board(*two_tasks(one=70.0, other=40.0))).lines()[-1]
    assert low.startswith("all 2 tasks: gpt has the highest average, 69.0")
    base = verdict(board(model("minilm", 70.0), model("minilm", 40.0, task="books"), *two_tasks()[4:])).lines()[-1]
    assert base.startswith("all 2 tasks: the best baselines have 63.2 on average, minilm 55.0; one seed")
    gaps = verdict(board(model("minilm", 70.0), failed("books", "minilm"), *two_tasks()[4:])).lines()[-1]
    assert gaps.startswith("all 2 tasks: no model has a sound score on every task; 1 training failed")
    assert verdict(board(*two_tasks())).lines(most=1) == lines[-1:]


def test_only_some_of_many_failed_or_tied_models_are_named():
    names = [f"m{number}" for number in range(9)]
    said = line(*(failed("airline", name) for name in names))
    assert said.startswith("airline: every training failed; m0, m1, m2, m3 and 5 more: RuntimeError: out of memory (bench show ")
    said = line(*(failed("airline", name, message=f"no {name}") for name in names))
    assert "; m2: RuntimeError: no m2 (" in said and said.endswith("); 6 more")


def test_markdown_and_json_begin_with_the_verdict():
    found = board(*two_tasks())
    said = verdict(found)
    text = render(found)
    assert text.split("\n")[2:5] == [f"- {one}" for one in said.lines()]
    made = json.loads(to_json(found))
    assert next(iter(made)) == "verdict"
    assert [one["line"] for one in [*made["verdict"]["tasks"], made["verdict"]["overall"]]] == said.lines()
    assert made["verdict"]["tasks"][0]["baseline"]["row"] == "tfidf-lr"
    broken = to_json(board(failed("airline", "gpt"), baseline()))
    json.loads(broken, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_board_of_baselines_only_and_empty_board():
    assert line(baseline()) == "airline: no model was trained; tfidf-lr, the best baseline, has 76.0 accuracy"
    assert verdict(Board.of([])).lines() == []
