"""Overtakings on learning curves: real ones are found, false ones are rare."""

import itertools

import numpy as np
import pytest
from made_curves import ALL, write, write_curve

from harness.metrics.additive import mean_of
from harness.report.board import Board
from harness.report.curves import overtaking_sentences
from harness.stats.overtaking import AtSize, Overtaking, Overtakings, crossing, overtakings
from harness.stats.paired import Resampling, TestRows, mean_spread
from harness.stats.row_comparison import compare
from harness.stats.standings import standings
from harness.store import Store

LABELS = ["100", "300", "1,000", "all 5,000"]


def found(store):
    """The only curve of a folder."""
    records = list(store.records())
    return Board.of(records, standings=standings(store, records)).curves[0]


def test_a_known_overtaking_is_reported_with_its_significant_sizes(tmp_path):
    skills = {"gpt": [0.75, 0.78, 0.79, 0.80], "bert": [0.55, 0.775, 0.90, 0.93], "best": [0.80, 0.85, 0.93, 0.97]}
    curve = found(write_curve(tmp_path, skills))
    [one] = curve.crossed.overtakings
    assert (one.early, one.late, one.verdicts, one.shown) == ("gpt", "bert", (-1, 0, 1, 1), True)
    [rows] = one.crossings
    assert 100 < rows < 1000 and curve.crossed.unproven == 0
    [line] = overtaking_sentences(curve.crossed, [size.label for size in curve.sizes])
    assert line.startswith("gpt is ahead at 100 rows, bert from 1,000 rows on; at 300 they cannot be told apart.")
    assert "Estimate: the means cross at about" in line
    # The same test as that of `bench compare`, but for what it is adjusted by.
    [small] = compare(write_curve(tmp_path, {}), "gpt", "bert", ["films (100 train rows)"])
    assert small.verdict == 1 and small.difference.value == pytest.approx(-one.differences[0])


def test_a_lead_that_becomes_insignificant_is_no_overtaking(tmp_path):
    curve = found(write_curve(tmp_path, {"a": [0.80, 0.80, 0.80, 0.80], "b": [0.55, 0.65, 0.79, 0.82]}))
    [one] = curve.crossed.overtakings
    assert one.early == "a" and not one.shown and 1 not in one.verdicts and one.verdicts[:2] == (-1, -1)
    [line] = overtaking_sentences(curve.crossed, LABELS)
    assert line.startswith(
        "a is ahead up to 300 rows, but is not shown to be overtaken by b; at 1,000 and all 5,000 they cannot"
    )


def test_a_change_of_order_by_two_rows_is_not_reported(tmp_path):
    store, gold = Store(tmp_path), np.array(["good", "bad"] * 200)
    for model, few, many in (("a", 80, 82), ("b", 82, 80)):
        for size, wrong in ((100, few), (None, many)):
            for seed in range(3):
                write(store, gold, np.arange(400) >= wrong, "films", model, size, seed)
    curve = found(store)
    assert curve.crossed == Overtakings((), 1)
    assert overtaking_sentences(curve.crossed, ["100", "all 5,000"]) == [
        "1 pair changes its order by the means alone: no size tells the two apart."
    ]


def test_only_common_seeds_and_sizes_count():
    scores = [{"a": {0: 80.0, 1: 10.0}, "b": {0: 70.0}}, {"a": {0: 80.0}}, {"a": {0: 80.0}, "b": {0: 90.0, 7: 0.0}}]
    tested = [
        AtSize(rows, own, {("a", "b"): 1e-9} if len(own) == 2 else {})
        for rows, own in zip((10, 100, 1000), scores, strict=True)
    ]
    [one] = overtakings(tested).overtakings
    assert (
        (one.early, one.late) == ("a", "b") and one.differences == (-10.0, None, 10.0) and one.verdicts == (-1, None, 1)
    )
    assert one.crossings == pytest.approx((100.0,))  # half-way on the logarithmic scale
    assert not overtakings(tested, {"a", "b"}).overtakings  # two baselines
    assert overtakings(tested, {"a"}).overtakings
    assert overtakings(tested[:2]) == Overtakings()


def test_p_values_are_adjusted_for_all_pairs_and_sizes():
    names = [f"m{number}" for number in range(8)]
    scores = [{name: {0: 50.0 + way * number} for number, name in enumerate(names)} for way in (1, -1)]
    pairs = list(itertools.combinations(names, 2))
    almost = [AtSize(rows, own, dict.fromkeys(pairs, 0.002)) for rows, own in zip((10, 100), scores, strict=True)]
    assert overtakings(almost) == Overtakings((), len(pairs))  # 0.002 × 56 is more than 0.05
    sure = [AtSize(rows, own, dict.fromkeys(pairs, 0.0005)) for rows, own in zip((10, 100), scores, strict=True)]
    assert len(overtakings(sure).overtakings) == len(pairs)


def test_equal_models_seldom_overtake():
    """P values of true hypotheses are uniform: of 400 tasks with ten equal models at four sizes, 5 % may say something at all."""
    chance, names = np.random.default_rng(2), [f"m{number}" for number in range(10)]
    pairs = list(itertools.combinations(names, 2))
    told = 0
    for _ in range(400):
        sizes = [
            AtSize(
                rows,
                {name: {0: chance.normal()} for name in names},
                dict(zip(pairs, chance.random(len(pairs)), strict=True)),
            )
            for rows in (10, 100, 1000, 10000)
        ]
        told += bool(overtakings(sizes).overtakings)
    assert told / 400 <= 0.05


def test_crossing_of_lines():
    assert crossing([100, 10_000], [-1.0, 1.0]) == pytest.approx([1000.0])
    assert crossing([100, 10_000], [-1.0, 3.0]) == pytest.approx([100 * 10**0.5])
    assert crossing([10, 100, 1000], [-1.0, 0.0, 2.0]) == pytest.approx([100.0])
    assert crossing([10, 100, 1000, 10_000], [-1.0, 1.0, -1.0, 1.0]) == pytest.approx([10**1.5, 10**2.5, 10**3.5])
    assert crossing([10, None, 1000], [-1.0, 5.0, -1.0]) == [] and crossing([10, 100], [-1.0, None]) == []


def test_sentences():
    def said(verdicts, crossings=()):
        one = Overtaking("a", "b", (None,) * 4, verdicts, crossings)
        return overtaking_sentences(Overtakings((one,), 0), LABELS)[0]

    assert said((-1, -1, 1, 1), (512.3,)) == (
        "a is ahead up to 300 rows, b from 1,000 rows on. Estimate: the means cross at about 510 rows."
    )
    assert (
        said((-1, 0, 0, 1))
        == "a is ahead at 100 rows, b at all 5,000 rows; at 300 and 1,000 they cannot be told apart."
    )
    assert said((0, 0, 1, 1)).startswith(
        "b is ahead from 1,000 rows on, but a is not shown to be ahead before; at 100 and 300 they"
    )
    assert said((-1, None, None, 1)) == "a is ahead at 100 rows, b at all 5,000 rows."
    assert "cross at about 20, 60 and 2,400 rows" in said((-1, 0, 0, 1), (20.4, 60.0, 2400.0))
    assert overtaking_sentences(Overtakings((), 2), LABELS) == [
        "2 pairs change their order by the means alone: no size tells the two apart."
    ]


def test_curves_without_predictions_have_no_overtakings(tmp_path):
    store = write_curve(tmp_path, {"a": [0.9, 0.9, 0.9, 0.6], "b": [0.6, 0.6, 0.6, 0.9]})
    for file in tmp_path.glob("cells/*100rows*/predictions.jsonl"):
        file.unlink()
    curve = found(store)
    assert curve.lines[0].points[0].low is None and curve.lines[0].points[1].low is not None
    [one] = curve.crossed.overtakings
    assert one.verdicts[0] is None and one.differences[0] is not None and one.shown
    assert curve.sizes[-1].rows == ALL


def simulated(skills, tasks, seeds=3, rows=400):
    """In what shares of the made-up tasks an overtaking is shown and a lead is told of, of models with these chances at each size."""
    chance, drawing, shown, told = np.random.default_rng(1), Resampling(rows, 300), 0, 0
    for _ in range(tasks):
        hard, sizes = chance.normal(0, 0.15, rows), []
        for number, own in enumerate(zip(*skills.values(), strict=True)):
            made = {
                name: [
                    drawing.score(mean_of(chance.random(rows) < skill + hard + chance.normal(0, 0.02)))
                    for _ in range(seeds)
                ]
                for name, skill in zip(skills, own, strict=True)
            }
            each, many = (
                np.array([getattr(a, what) - getattr(b, what) for a, b in zip(*made.values(), strict=True)])
                for what in ("score", "drawn")
            )
            scores = {name: {seed: one.score for seed, one in enumerate(found)} for name, found in made.items()}
            sizes.append(AtSize(10 ** (number + 1), scores, {tuple(skills): mean_spread(each, many, TestRows(rows)).p}))
        shown += any(one.shown for one in overtakings(sizes).overtakings)
        told += bool(overtakings(sizes).overtakings)
    return shown / tasks, told / tasks


@pytest.mark.slow
def test_false_overtakings_are_rare_and_real_ones_are_found():
    assert (
        simulated({"a": [0.8, 0.8, 0.8, 0.8], "b": [0.6, 0.7, 0.8, 0.8]}, 100)[0] <= 0.04
    )  # the lead is lost, no more
    shown, told = simulated({"a": [0.8] * 4, "b": [0.8] * 4}, 100)
    assert shown <= 0.01 and told <= 0.05
    assert simulated({"a": [0.8, 0.8, 0.8, 0.8], "b": [0.6, 0.7, 0.85, 0.92]}, 30, seeds=5)[0] >= 0.9


def test_the_list_of_overtakings_is_limited():
    many = tuple(Overtaking("a", f"b{number}", (None,) * 4, (-1, 0, 0, 1), ()) for number in range(15))
    lines = overtaking_sentences(Overtakings(many, 1), LABELS)
    assert (
        len(lines) == 14
        and lines[12].startswith("3 more of such pairs")
        and lines[13].startswith("1 other pair changes")
    )
