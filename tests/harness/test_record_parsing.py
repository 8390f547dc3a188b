"""Damaged records: each is named once with its key and left out, and whatever is made of the others is made."""

import copy
import json
import math
import random
import string

import made_records
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cell import is_trial
from harness.errors import BenchError
from harness.grouping.board_records import BoardRecords
from harness.record_parsing import DamagedRecord, parse_known_keys, parse_record
from harness.report.board import Board
from harness.report.board_files import page, render
from harness.report.formats import FORMATS, formatted
from harness.report.model_choice import Limits, recommend
from harness.report.record_view import show as shown
from harness.report.terminal import final_table
from harness.stats.row_comparison import compare
from harness.stats.standings import standings
from harness.store import Store

RIGHT = {"bert": "aababbabab", "gpt2": "aabbbbabaa", "t5": "bbabababab"}
GOLD = "aabbbbabab"


def predictions(model):
    return [
        {"id": f"test-{row}", "prediction": ours, "reference": gold, "words": 3 + row % 4}
        for row, (ours, gold) in enumerate(zip(RIGHT[model], GOLD, strict=True))
    ]


def score(model):
    return 10.0 * sum(ours == gold for ours, gold in zip(RIGHT[model], GOLD, strict=True))


def full(model="bert", task="films", seed=0):
    """A record with every key that a cell may have."""
    made = made_records.record(task, model, score(model), seed)
    made["fitted"] = {"epochs": {"value": 4, "why": "600 rows"}}
    made["answers"] = {"distinct": 2, "top_share": 0.6, "expected_distinct": 2, "expected_top_share": 0.5}
    made["training"]["history"] *= 3
    made["training"]["trouble"] = [{"kind": "few-steps", "text": "only 20 steps", "cure": "", "failed": False}]
    made["metrics"]["phenomena"] = {"negation": {"rows": 4, "score": 50.0}}
    made["metrics"]["slices"] = {"length": {"3-4": {"rows": 5, "score": 60.0}}}
    made["task"] |= {"split_rule": "as published", "warnings": ["3 rows repeat an earlier one"]}
    made["search"] = {
        "specification": {"fields": {"learning_rate": [1e-5, 1e-4]}}, "arguments": ["recipe.lr=1e-5,1e-4"], "winner": 0,
        "trials": [{"status": "ok", "id": "films--a--t0", "recipe": {"learning_rate": 3e-5}, "validation": 80.0, "seconds": 3.0}], "seconds": 3.0,
    }  # fmt: skip
    return made


def others():
    """What stands beside the damaged record."""
    for task in ("films", "books"):
        for model in ("gpt2", "t5"):
            yield made_records.record(task, model, score(model)), predictions(model)
    yield full(task="books"), predictions("bert")
    yield made_records.failed("films", "lost"), []


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """What a test before found out of the same predictions is not known."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path):
    folder = Store(tmp_path / "results")
    for record, lines in others():
        folder.write(record, lines)
    return folder


def put(store, content, name=None):
    """Write a record as it is, and its predictions."""
    name = name or full()["id"]
    folder = store.folder(name)
    (folder / "record.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in predictions("bert")))


def everything(store):
    """All that reads records; a refusal in one line is fine, any other exception is not."""
    records = BoardRecords.read(store)
    sure = standings(store, records)
    for form in FORMATS:
        text = formatted(form, records, sure)
        if form == "json":
            json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    page(store, None, 10)
    board = Board.of(records, standings=sure)
    one_line(recommend, board, Limits(None, None, None), [])
    final_table(board, "x")
    for record in store.records():
        lines = store.predictions(record["id"]) if record["status"] == "ok" and not is_trial(record) else []
        shown(record, lines, None, ({}, ""))
    one_line(compare, store, "gpt2", "t5")
    return board


def one_line(do, *arguments):
    try:
        do(*arguments)
    except BenchError as error:
        assert "\n" not in str(error)


def paths(value, at=()):
    """Every place in a record."""
    if at:
        yield at
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*at, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*at, 0))


def damaged(record, path, what):
    """A copy in which one place holds something else; `what` None takes it away."""
    made = copy.deepcopy(record)
    inside = made
    for key in path[:-1]:
        inside = inside[key]
    if what is GONE:
        del inside[path[-1]]
    else:
        inside[path[-1]] = what
    return made


GONE = object()
WRONG = {
    "gone": GONE, "null": None, "text": "x", "half": "\ud83d", "number": -7, "fraction": 0.5, "nan": math.nan, "huge": 10**30, "true": True,
    "list": [], "mapping": {}, "nested": [{"a": [1]}],
}  # fmt: skip


def test_a_whole_record_is_read_with_all_its_keys():
    record = {"schema": 1, **full(), "of a plugin": {"more": [1]}}
    assert parse_record(json.dumps(record).encode()) == record


@pytest.mark.parametrize("what", WRONG)
def test_no_damage_breaks_a_board(store, what):
    """Every place of a record is damaged in one way; what is left out is named with its key, and the others stay."""
    whole = {"schema": 1, **full()}
    names = {record["id"] for record, _ in others()}
    left_out = 0
    for path in paths(whole):
        put(store, json.dumps(damaged(whole, path, WRONG[what])))
        records = BoardRecords.read(store)
        assert names <= {record["id"] for record in records}
        json.loads(formatted("json", records), parse_constant=lambda name: pytest.fail(name))
        if whole["id"] in store.damaged:
            left_out += 1
            assert "\n" not in store.damaged[whole["id"]]
            assert any(whole["id"] in note for note in Board.of(records).notes)
            assert not store.finished(whole["id"]) and store.record_and_digest(whole["id"])[0] is None
    assert left_out > 5


@pytest.mark.slow
@pytest.mark.parametrize("what", ["gone", "null", "text", "number", "list"])
def test_no_damage_breaks_anything_that_reads_records(store, what):
    whole = {"schema": 1, **full()}
    first = list(WRONG).index(what)
    for path in list(paths(whole))[first::12]:
        put(store, json.dumps(damaged(whole, path, WRONG[what])))
        everything(store)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"score": "90"}, "score: expected float | null, got str"),
        ({"id": "another"}, "id is 'another', and its folder is another cell's"),
        ({"status": "done"}, "status: invalid enum value 'done'"),
        ({"schema": 2}, "schema: invalid enum value 2"),
        ({"status": "failed"}, "status is failed, and error says nothing"),
        ({"primary_metric": None}, "primary_metric is missing, and there is a score"),
        ({"purpose": "search"}, "trial.value is missing"),
        ({"model": {"digest": "x"}}, "model.name is missing"),
        ({"search": {"specification": {"fields": {}}, "winner": 3}}, "search.winner is 3, of 0 trials"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(store, change, why):
    put(store, json.dumps({"schema": 1, **full(), **change}))
    assert store.record(full()["id"]) is None
    assert store.damaged == {full()["id"]: why}
    note = f"1 record is damaged and was left out: {full()['id']} ({why}). Run these cells again."
    assert note in Board.of(BoardRecords.read(store)).notes
    assert "damaged" in render(store, "md")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 50_000, b'{"a":' * 50_000, b"null", b"\0"]
)
def test_what_is_no_json_is_named_too(store, content):
    put(store, content)
    everything(store)
    assert list(store.damaged) == [full()["id"]]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"id": "test-0"}', '{"id": 3, "prediction": "a", "reference": "a"}', '{"id": "\\ud83d", "prediction": "a", "reference": "a"}',
             '{"id": "x", "prediction": {"a": 1}, "reference": ["b"]}', '{"id": "x", "prediction": null, "reference": null}'],
)  # fmt: skip
def test_damaged_predictions_cost_their_column(store, line):
    name = next(name for record, _ in others() if (name := record["id"]).startswith("films--t5"))
    (store.folder(name) / "predictions.jsonl").write_text(line + "\n")
    records = BoardRecords.read(store)
    board = Board.of(records, standings=standings(store, records))
    assert any(note.startswith("films: no intervals and groups") for note in board.notes)
    assert all(
        row.entries["books"].standing for row in board.rows if "books" in row.entries and row.entries["books"].scores
    )
    page(store, None, 10)


def test_nothing_but_damaged_records_is_an_empty_board(tmp_path):
    store = Store(tmp_path)
    put(store, b"{")
    assert "1 record is damaged" in render(store, "md")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["ok", "failed", "\ud800", "1e5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "rows", "test", "a"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def fuzz(examples):
    whole = {"schema": 1, **full()}
    places = list(paths(whole))

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.tuples(st.sampled_from(places), VALUES), min_size=1, max_size=4))
    def run(changes):
        made = whole
        for path, value in changes:
            try:
                made = damaged(made, path, value)
            except (KeyError, TypeError, IndexError):  # what lay there was replaced before
                continue
        text = json.dumps(made)
        try:
            record = parse_record(text.encode())
            known = parse_known_keys(text.encode())
        except DamagedRecord as error:
            assert str(error) and "\n" not in str(error)
            return
        assert {name: record[name] for name in ("id", "status", "seed")} == {
            name: known[name] for name in ("id", "status", "seed")
        }
        beside = made_records.record("films", "gpt2", 70.0)
        for form in ("md", "json", "csv"):
            formatted(form, [record, beside])

    run()


def test_random_damage_is_refused_or_harmless():
    fuzz(200)


@pytest.mark.long
def test_random_damage_is_refused_or_harmless_10_000_times():
    fuzz(10_000)


@pytest.mark.long
def test_bytes_that_were_changed_at_random_are_refused_or_harmless(store):
    """A bit here, a cut there: as a disk or a careless script leaves files."""
    chance, whole = random.Random(0), json.dumps({"schema": 1, **full()}, indent=1).encode()
    for _ in range(10_000):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] = chance.choice(string.printable.encode())
        put(store, bytes(content[: chance.choice([len(content), len(content), chance.randrange(len(content))])]))
        formatted("json", BoardRecords.read(store))
