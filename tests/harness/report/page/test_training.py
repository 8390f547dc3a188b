"""Training curves and strips of seeds: what goes into the page is what the records say."""

import itertools
from xml.etree import ElementTree

import pytest
from made_page import folder, view
from made_records import record
from page_parser import parse

from harness.methods import BASELINE
from harness.report.entries import make_entry
from harness.report.page.charts import mean_history
from harness.report.page.render import page
from harness.report.page.score_table import DOT, SeedStrips
from harness.stats.standings import Standing
from harness.store import Store


def went(seed, scores, kept, score=90.0, **more):
    """A record whose training was validated every 10 steps."""
    history = [{"step": 10 * turn, "loss": 1 / turn, "score": score} for turn, score in enumerate(scores, 1)]
    return record(
        score=score, seed=seed, training={"steps": 10 * len(scores), "best_step": kept, "history": history}, **more
    )


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "results")
    made = [went(0, [50, 80, 70], 20), went(1, [60, 90], 20, score=80.0), went(0, [40, 41, 42], 30, model="gpt", score=42.0)]
    made.append(went(0, [], None, model="majority", method=BASELINE))
    for one in made:
        store.write(one)
    return store


def test_histories_seeds_and_kept_steps(store):
    tree = parse(page(view(store)))
    (task,) = tree.data("training")
    assert task["title"] == "films" and task["metric"] == "accuracy"
    assert [model["title"] for model in task["models"]] == ["bert", "gpt"]  # a baseline has no training
    bert = task["models"][0]
    assert [(seed["seed"], seed["steps"], seed["kept"], seed["score"]) for seed in bert["seeds"]] == [
        (0, 30, 20, 90.0),
        (1, 20, 20, 80.0),
    ]
    assert bert["seeds"][0]["history"] == [[10, 1.0, 50.0], [20, 0.5, 80.0], [30, 0.3333, 70.0]]
    assert bert["steps"] == 30
    assert bert["mean"] == [[10, 1.0, 55.0], [20, 0.5, 85.0]]  # not beyond the seed that ended early


def test_mean_is_over_the_steps_that_all_seeds_have():
    one, other = [[5, 1.0, 10.0], [10, 0.5, 20.0]], [[10, 0.7, 40.0], [15, 0.1, 60.0]]
    assert mean_history([one]) == one
    assert mean_history([one, other]) == [[10, 0.6, 30.0]]
    assert mean_history([one, [[7, 1.0, 1.0]]]) == []


def test_no_section_without_a_history(tmp_path):
    store = Store(tmp_path)
    store.write(record(training={"steps": 0, "best_step": 0, "history": []}))
    store.write({key: value for key, value in record(model="old").items() if key != "training"})
    assert not parse(page(view(store))).has("training")


def entry(*scores, **more):
    return make_entry([record(score=score, seed=seed, **more) for seed, score in enumerate(scores)])


def drawn(strips, one):
    """x of the dots in order, and the classes of the paths."""
    tree = ElementTree.fromstring(str(strips.strip(one)))
    return [(float(dot.get("cx")), float(dot.get("cy"))) for dot in tree.iter("circle")], [
        path.get("class") for path in tree.iter("path")
    ]


def test_dots_are_on_the_scale_of_their_column():
    learned, collapsed = entry(90.0, 50.0, 92.0), entry(50.0)
    strips = SeedStrips([learned, collapsed], 50.0)
    dots, paths = drawn(strips, learned)
    (alone, *_), _ = drawn(strips, collapsed)
    assert dots[0] == alone and dots[0][0] < dots[1][0] < dots[2][0]
    assert (dots[1][0] - dots[0][0]) / (dots[2][0] - dots[0][0]) == pytest.approx(40 / 42, abs=0.01)
    assert paths == ["trivial", "middle"]
    assert "seed 1: 50.00" in str(strips.strip(learned))


def test_dots_of_equal_scores_do_not_overlap():
    dots, _ = drawn(SeedStrips([entry(70.0, 70.0, 70.0)], None), entry(70.0, 70.0, 70.0))
    assert len(set(dots)) == 3 and len({x for x, _ in dots}) == 1
    heights = sorted(y for _, y in dots)
    assert min(b - a for a, b in itertools.pairwise(heights)) >= DOT


def test_intervals_are_inside_the_strip_and_failed_entries_have_no_strip():
    from dataclasses import replace

    sure = replace(entry(60.0, 70.0), standing=Standing("a", 20.0, 99.0))
    strips = SeedStrips([sure], 50.0)
    assert (strips.low, strips.high) == (20.0, 99.0) and drawn(strips, sure)[1] == ["trivial", "range", "middle"]
    assert strips.strip(entry(None, status="failed")) is None


def test_strips_are_in_the_cells_of_the_table(tmp_path):
    seen = view(folder(tmp_path / "results"))
    tree = parse(page(seen))
    for line, row in zip(tree.id("scores-table").one("tbody").all("tr"), seen.board.rows, strict=True):
        for title, one in row.entries.items():
            assert len(line.one("td", data_task=title).all("circle")) == len(one.scores)
