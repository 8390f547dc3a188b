"""Groups and intervals of a board, from predictions whose differences are known."""

import hashlib
from itertools import combinations
from pathlib import Path

import pytest
from made_records import record
from typer.testing import CliRunner

from harness.cli.main import app
from harness.grouping import board_records as parts
from harness.report.board import Board
from harness.stats import statistics_cache as kept
from harness.stats.multiple_tests import letters
from harness.stats.row_comparison import compare
from harness.stats.standings import standings
from harness.store import Store
from harness.trouble import Trouble
from tasks import ner


def pairs(*names):
    return {frozenset(pair) for pair in names}


def test_letters():
    assert letters("xyz", []) == {"x": "a", "y": "a", "z": "a"}
    assert letters("xyz", pairs("xy", "xz", "yz")) == {"x": "a", "y": "b", "z": "c"}
    assert letters("xyz", pairs("xz")) == {"x": "a", "y": "ab", "z": "b"}
    # Two tied at the top, one in the middle that differs from neither neighbour, one at the end.
    assert letters("wxyz", pairs("wz", "xz", "wy")) == {"w": "a", "x": "ab", "y": "bc", "z": "c"}
    assert letters([], []) == {} and letters("x", []) == {"x": "a"}


@pytest.mark.parametrize("seed", range(30))
def test_letters_show_exactly_the_pairs_that_differ(seed):
    import random

    chance = random.Random(seed)
    names = [f"m{number}" for number in range(chance.randint(2, 12))]
    different = {frozenset(pair) for pair in combinations(names, 2) if chance.random() < 0.4}
    found = letters(names, different)
    split = {name: set(text.split(".") if "." in text else text) for name, text in found.items()}
    for one, other in combinations(names, 2):
        assert bool(split[one] & split[other]) == (frozenset((one, other)) not in different)


ROWS = 300


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    store = Store(tmp_path / "results")
    for seed in range(3):
        for model, first, count in (("best", 0, 20), ("good", 100, 24), ("bad", 150, 120)):
            write(store, model, range(first + seed, first + seed + count), seed)
    return store


def write(store, model, wrong, seed, ids=None):
    lines = [
        {"id": (ids or str)(row), "prediction": "bad" if row in wrong else "good", "reference": "good"}
        for row in range(ROWS)
    ]
    made = record("films", model, 100 * (ROWS - len(wrong)) / ROWS, seed)
    store.write(made, lines)
    return made


def by_model(found):
    return {place.model: standing for place, standing in found.of.items()}


def test_ties_share_a_letter_and_intervals_include_the_mean(store):
    found = standings(store, store.records())
    known = by_model(found)
    assert [known[name].letters for name in ("best", "good", "bad")] == ["a", "a", "b"] and not found.notes
    assert known["best"].low < 93.33 < known["best"].high and known["bad"].high < known["good"].low
    board = Board.of(store.records(), standings=found)
    assert [row.entries["films"].standing.letters for row in board.rows] == ["a", "a", "b"]


def test_leads_agree_with_compare(store):
    known = by_model(standings(store, store.records()))
    assert known["best"].behind is None
    for name in ("good", "bad"):
        (one,) = compare(store, "best", name)
        found, asked = known[name].behind, one.difference
        assert (found.value, found.low, found.high) == pytest.approx((asked.value, asked.low, asked.high))
    assert known["good"].behind.low < 0 < known["bad"].behind.low


def test_leads_are_recomputed_for_a_new_best_row(store, monkeypatch):
    assert by_model(standings(store, store.records()))["best"].behind is None
    bad = [Trouble("constant", "the same for every row", failed=True)]
    monkeypatch.setattr(parts, "trouble", lambda made: bad if made["model"]["name"] == "best" else [])
    known = by_model(standings(store, store.records()))
    assert known["good"].behind is None and known["best"].behind.value < 0


def test_intervals_are_limited_to_0_and_100(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")
    store = Store(tmp_path)
    for seed, wrong in enumerate((0, 3, 0)):
        write(store, "good", range(wrong), seed)
        write(store, "bad", range(ROWS - wrong), seed)
    known = by_model(standings(store, store.records()))
    assert known["good"].high == 100.0 and 95 < known["good"].low < 99
    assert known["bad"].low == 0.0 and 1 < known["bad"].high < 5


def test_columns_are_cached_until_a_record_changes(store, monkeypatch):
    first = standings(store, store.records())
    with monkeypatch.context() as patch:
        patch.setattr("harness.stats.column_statistics.compute_column", None)
        assert standings(store, store.records()) == first
    write(store, "bad", range(15), 0)
    assert standings(store, store.records()) != first


def test_a_changed_family_is_recomputed(store, monkeypatch):
    write(store, "good", range(10), 0)
    first = standings(store, store.records())
    monkeypatch.setattr("harness.stats.column_statistics.compute_column", lambda *words: pytest.fail("computed again"))
    assert standings(store, store.records()) == first
    monkeypatch.setattr("harness.stats.over_tasks.family_source_hash", lambda family: "another")
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        standings(store, store.records())


def test_family_source_hash_is_that_of_its_module():
    assert kept.family_source_hash("ner") == hashlib.sha256(Path(ner.__file__).read_bytes()).hexdigest()
    assert kept.family_source_hash("ner") != kept.family_source_hash("qa") and kept.family_source_hash("nobody's") is None


def test_a_damaged_cache_is_replaced(store, tmp_path):
    first = standings(store, store.records())
    for path in (tmp_path / "cache/standings").iterdir():
        path.write_text("[]")
    assert standings(store, store.records()) == first


def test_an_unusable_column_gives_a_note(store):
    other = write(store, "other", range(9), 0, ids=lambda row: f"else{row}")
    found = standings(store, store.records())
    assert not found.of and found.notes == [
        f"films: no intervals and groups: {other['id']}: the two were not tested on the same rows, so they cannot be"
        " compared row by row."
    ]
    text = CliRunner().invoke(app, ["leaderboard", "--results", str(store.root)]).output
    assert "films: no intervals and groups" in text and "93.33" in text and "share a letter" not in text


def test_the_board_shows_groups_and_intervals_in_all_formats(store):
    def output(form):
        done = CliRunner().invoke(app, ["leaderboard", "--results", str(store.root), "--format", form])
        assert done.exit_code == 0, done.output
        return done.output

    text = output("md")
    assert "share a letter cannot be told apart" in text and "95 % interval" in text
    lines = [line for line in text.splitlines() if line.startswith("| bad")]
    assert " b |" in lines[0]
    header, *rows = output("csv").splitlines()
    at = header.split(",").index("group")
    assert [row.split(",")[at] for row in rows] == ["a", "a", "b"]
    assert '"letters": "b"' in output("json")
    assert output("md") == text
