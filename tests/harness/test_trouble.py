"""Trainings that failed or fell short: each sign on a hand-made record, and real trainings that are deliberately broken."""

import json
from pathlib import Path

import pytest
from made_records import failed, record
from typer.testing import CliRunner

from harness.cli.main import app
from harness.predictions import answer_counts
from harness.run_output import advice
from harness.store import Store
from harness.trouble import as_facts, summary, trouble, trouble_of_seeds

ROOT = Path(__file__).resolve().parents[2]
HEALTHY = [(100, 0.5, 80.0), (200, 0.2, 88.0), (300, 0.1, 89.0)]
SPREAD = {"distinct": 2, "top_share": 0.6, "expected_distinct": 2, "expected_top_share": 0.5}


def trained(history=HEALTHY, score=88.0, spread=SPREAD, training=(), **more):
    """Return a record with these validations: (step, loss since the previous one, score)."""
    lines = [dict(zip(("step", "loss", "score"), line, strict=True)) for line in history]
    facts = {"steps": lines[-1]["step"], "best_step": lines[0]["step"], "history": lines, **dict(training)}
    return record(score=score, training_facts=facts, answers_facts=spread, **more)


def kinds(one):
    return {sign.kind: sign.failed for sign in trouble(one)}


def validations(*scores):
    return [(100 * (place + 1), 0.5 / (place + 1), score) for place, score in enumerate(scores)]


def test_a_healthy_training_shows_nothing():
    assert trouble(trained()) == [] and summary([]) == ""


def test_baselines_trials_and_failed_cells_show_nothing():
    broken = trained(score=50.0, constant=True)
    assert kinds(broken)
    assert trouble({**broken, "method": "baseline"}) == []
    assert trouble({**broken, "purpose": "search", "score": None}) == []
    assert trouble(failed()) == []


def test_constant_predictions():
    assert kinds(trained(score=50.5, constant=True)) == {"constant": True}
    nearly_all = {**SPREAD, "expected_top_share": 0.99}  # to say the same everywhere is then no proof of anything
    assert kinds(trained(score=99.0, constant=True, spread=nearly_all)) == {"constant": False}
    assert trouble(trained(score=100.0, constant=True, spread={**SPREAD, "expected_top_share": 1.0})) == []


@pytest.mark.parametrize(
    ("given", "right", "seen"),
    [(0.99, 0.5, True), (0.97, 0.5, False), (0.99, 0.97, False), (0.999, 0.97, True), (1.0, 0.7, True)],
)
def test_almost_constant_predictions_are_compared_with_what_is_right(given, right, seen):
    spread = {**SPREAD, "top_share": given, "expected_top_share": right}
    assert kinds(trained(spread=spread)) == ({"near-constant": True} if seen else {})


def test_predictions_of_few_classes_among_many():
    spread = {"distinct": 7, "top_share": 0.4, "expected_distinct": 150, "expected_top_share": 0.02}
    assert kinds(trained(spread=spread)) == {"near-constant": True}
    assert trouble(trained(spread={**spread, "distinct": 60})) == []


def test_old_records_without_answer_counts():
    old = trained()
    del old["answers"]
    assert trouble(old) == []


def test_a_loss_that_does_not_fall():
    flat = [(100, 0.700, 52.0), (200, 0.699, 53.0), (300, 0.698, 53.0)]
    (sign,) = trouble(trained(flat, score=53.0))
    assert sign.failed and sign.kind == "loss" and "from 0.7 to 0.698" in sign.text and sign.cure == "--search auto"
    fallen = [(100, 0.70, 52.0), (200, 0.69, 53.0), (300, 0.65, 53.0)]
    assert trouble(trained(fallen, score=53.0)) == []
    known = [(100, 0.020, 95.0), (200, 0.020, 95.0)]  # a checkpoint that was trained on the task before
    assert trouble(trained(known, score=95.0)) == []


def test_a_loss_no_better_than_a_guess():
    exploded = [(100, 8.3, 52.0), (200, 1.5, 53.0), (300, 0.98, 53.0)]
    (sign,) = trouble(trained(exploded, score=52.0))
    assert sign.failed and sign.text == "the training loss ended at 0.98, that of a blind guess is 0.693"
    spans = {"distinct": 90, "top_share": 0.1, "expected_distinct": 120, "expected_top_share": 0.1}
    course = [(100, 8.3, 52.0), (200, 6.0, 53.0), (300, 5.0, 53.0)]  # over tokens, of which there are more than answers
    assert trouble(trained(course, score=52.0, spread=spans)) == []


def test_a_score_no_better_than_the_trivial_one():
    assert kinds(trained(score=50.0)) == {"trivial": False}  # it trained as it should, and did not learn the task
    bad = trained([(100, 0.70, 50.0), (200, 0.70, 50.0)], score=50.0)
    assert kinds(bad) == {"trivial": True, "loss": True}
    assert trouble(trained(score=50.1)) == []


def test_the_first_validation_was_the_best():
    (sign,) = trouble(trained(validations(88.0, 80.0, 70.0)))
    assert sign.kind == "best-first" and not sign.failed and "fell from 88.0 to 70.0" in sign.text
    assert trouble(trained(validations(88.0, 87.0, 88.0))) == []
    assert trouble(trained(validations(88.0, 84.0, 84.0), task_facts={"rows": {"validation": 100}})) == []


def test_validation_still_rises_at_the_end():
    (sign,) = trouble(trained(validations(60.0, 70.0, 80.0)))
    assert sign.kind == "rising" and not sign.failed and sign.cure == "--set recipe.epochs=6"
    assert trouble(trained(validations(80.0, 88.0, 89.0))) == []
    assert trouble(trained(validations(80.0, 90.0, 99.0))) == []  # there is no room for more of that
    assert trouble(trained(validations(80.0, 86.0), task_facts={"rows": {"validation": 50}})) == []


def test_a_training_that_collapses():
    assert kinds(trained(validations(70.0, 89.0, 50.0))) == {"collapse": False}
    assert kinds(trained(validations(55.0, 61.0, 50.0), score=54.0)) == {"collapse": True}
    assert trouble(trained(validations(70.0, 89.0, 85.0))) == []


def test_few_steps():
    few = [(20, 0.5, 80.0), (40, 0.2, 88.0), (57, 0.1, 88.0)]
    (sign,) = trouble(trained(few))
    assert sign.text == "only 57 steps of training, below 100" and sign.cure == "--set recipe.epochs=6"
    assert not sign.failed
    early = [(20, 0.5, 88.0), (40, 0.2, 88.0)]  # of 57: it ended because nothing was gained any more
    assert trouble(trained(early)) == []
    (limited,) = trouble(trained(few, recipe_facts={"max_steps": 57, "epochs": 100}))
    assert limited.cure == "--set recipe.max_steps=100"


def test_signs_in_a_record_are_returned_as_they_are():
    signs = trouble(trained(score=50.0, constant=True))
    kept = trained(training={"trouble": as_facts(signs)})
    assert trouble(json.loads(json.dumps(kept))) == signs
    assert trouble(trained(score=50.0, training={"trouble": []})) == []


def test_the_summary_is_one_line():
    line = summary(trouble(trained(score=50.0, constant=True)), 1)
    assert line == "training failed: the same prediction for every test row; try --search auto"
    short = summary(trouble(trained(validations(60.0, 70.0, 80.0))))
    assert short.startswith("training may have fallen short: validation still rose by 10.0 at the last of 3 evaluations")


@pytest.mark.parametrize(
    ("scores", "seen"),
    [
        ((91.0, 50.5, 90.0), "1 of 3 seeds collapsed: 50.5, the others 90.0 to 91.0 (trivial answer 50.0)"),
        ((91.0, 51.0), "1 of 2 seeds collapsed: 51.0, the others 91.0 (trivial answer 50.0)"),
        ((91.0, 92.0, 90.0), None),
        ((91.0, 80.0, 90.0), None),  # far apart, but nowhere near the trivial answer
        ((85.0, 75.0, 65.0, 55.0), None),  # a wide spread, not two kinds
        ((51.0, 50.0, 50.5), None),
        ((91.0,), None),
    ],
)
def test_seeds_that_form_two_groups(scores, seen):
    found = trouble_of_seeds([trained(score=score, seed=seed) for seed, score in enumerate(scores)])
    assert [one.text for one in found] == ([seen] if seen else [])
    assert all(one.failed and one.kind == "seeds" for one in found)


class Family:
    """A minimal family for `answer_counts`."""

    def expected(self, row, task):
        return row["right"]


class Cell:
    task = None


def test_answer_counts():
    rows = [{"right": "a"}, {"right": "b"}, {"right": "a"}, {"right": "c"}]
    assert answer_counts(Cell(), Family(), rows, ["a", "a", "a", "b"]) == {
        "distinct": 2, "top_share": 0.75, "expected_distinct": 3, "expected_top_share": 0.5,
    }  # fmt: skip
    rows = [{"right": ["O", "B"]}, {"right": ["O"]}]
    assert answer_counts(Cell(), Family(), rows, [["O", "O"], ["O"]])["top_share"] == 1.0
    assert answer_counts(Cell(), Family(), [{"right": 1.5}], [2.5])["distinct"] == 1
    assert answer_counts(Cell(), Family(), [], []) == {}


def test_hardly_any_training_of_this_repository_shows_trouble_but_those_of_translation():
    """Translation's two evaluations of six epochs are far apart: twice as many epochs gain 12 points and more (docs/protocol.md)."""
    records = list(Store(ROOT / "results").records())
    signs = [(one["task"]["name"], one["method"], sign.kind, sign.failed) for one in records for sign in trouble(one)]
    others = [sign for sign in signs if sign[0] != "mini-translation"]
    assert len(records) >= 100 and {sign[2:] for sign in signs} == {("rising", False)}
    assert len(signs) - len(others) >= 15 and others == [("mini-sentiment", "scratch", "rising", False)]


def test_advice_counts_trainings_that_failed_or_fell_short():
    good, bad = trained(), trained(model="gpt", score=50.0, constant=True)
    diverged = failed(model="t5")
    diverged["error"]["type"] = "FloatingPointError"
    assert advice([good, failed(model="t5")]) == ""
    assert advice([good, bad]) == "1 of 2 trainings failed"
    assert advice([good, bad, diverged]).startswith("2 of 3 trainings failed")
    assert advice([good, {**bad, "search": {"winner": {}}}]) == ""
    seeds = [trained(score=score, seed=seed) for seed, score in enumerate((90.0, 50.5, 91.0))]
    assert advice(seeds).startswith("1 of 3 trainings failed")
    doubtful = [good, trained(validations(88.0, 80.0, 70.0), model="gpt")]
    assert advice(doubtful).startswith("1 of 2 trainings may have fallen short")


def run(folder, batch_size, *words):
    command = [
        "run", "--suite", "mini", "--models", "gpt2-mini", "--tasks", "mini-sentiment", "--limit", "120", "--jobs", "1",
        "--set", f"recipe.batch_size={batch_size}", "--results", str(folder), *words,
    ]  # fmt: skip
    done = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
    assert done.exit_code == 0, done.output
    (one,) = (one for one in Store(folder).records() if one["method"] != "baseline")
    return done.output, one


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["1", "1e-7"])
def test_a_deliberately_broken_training_is_detected(tmp_path, rate):
    said, made = run(tmp_path, 16, "--set", f"recipe.learning_rate={rate}", "--baselines")
    assert made["training"]["trouble"] and made["training"]["trouble"] == as_facts(trouble(made))
    assert made["training"]["trouble"][0]["failed"] and made["answers"]["expected_distinct"] == 2
    assert "! training failed: " in said
    advice = next(line for line in said.splitlines() if "1 of 1 trainings failed" in line)
    assert advice.endswith(
        "bench run --models gpt2-mini --tasks mini-sentiment --suite mini --limit 120 --set recipe.batch_size=16 --baselines"
        f" --results {tmp_path} --jobs 1 --search auto"
    )
    shown = CliRunner().invoke(app, ["show", made["id"], "--results", str(tmp_path)]).output
    assert "training failed" in " ".join(shown.split())
    words = ["recommend", "--results", str(tmp_path)]
    told = " ".join(CliRunner().invoke(app, words, env={"COLUMNS": "300"}).output.split())
    assert "No model can be recommended yet: the baseline" in told and "gpt2-mini: its training failed (" in told
    facts = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert facts["recommended"] is None and any(one["failed"] for one in facts["candidates"])


@pytest.mark.slow
@pytest.mark.long
def test_a_healthy_training_shows_no_trouble(tmp_path):
    said, made = run(tmp_path, 4, "--no-baselines")
    assert made["training"]["trouble"] == [] and made["score"] > made["trivial_score"]
    assert "training failed" not in said and "fallen short" not in said and "--search auto" not in said
