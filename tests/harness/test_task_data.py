"""From raw rows to prepared ones: places, ids, and columns that nest."""

import pickle

import pytest

from harness import registry
from harness.data.columns import bind
from harness.data.place import PlacedRow, place
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.task import Task
from harness.task_data import load_data as load_rows


def load(tmp_path, name, text, family="sentiment", format="jsonl", **task):
    (tmp_path / name).write_text(text)
    task = Task("t", family, FileSource(format, {"all": tmp_path / name}), **task)
    data = load_rows(task, registry.family(family))
    return data.splits, data.reports


def test_a_placed_row_is_its_columns_and_keeps_its_place():
    row = PlacedRow({"a": 1}, "x.csv", 7)
    assert row == {"a": 1} and list(row) == ["a"] and row.place() == "x.csv:7"
    assert pickle.loads(pickle.dumps(row)).place() == "x.csv:7"
    assert place({"a": 1}, "row 3") == "row 3"
    assert place(bind([row], {"b": "a"})[0], "") == "x.csv:7"


def test_prepared_rows_know_their_places(tmp_path):
    text = "text,label\n" + "".join(f"text {number},{number % 2}\n" for number in range(10))
    splits, _ = load(tmp_path, "x.csv", text, format="csv")
    spots = sorted(row.spot for rows in splits.values() for row in rows)
    assert spots == list(range(2, 12))
    assert all(row["text"] == f"text {row.spot - 2}" for rows in splits.values() for row in rows)


def test_ids_that_occur_again_get_a_number(tmp_path):
    text = "id,text,label\n" + "".join(f"{number % 3},text {number},{number % 2}\n" for number in range(6))
    splits, _ = load(tmp_path, "x.csv", text, format="csv")
    assert sorted(row["id"] for rows in splits.values() for row in rows) == ["0", "0#2", "1", "1#2", "2", "2#2"]


def test_a_row_that_lacks_a_column_is_named(tmp_path):
    with pytest.raises(BenchError, match=r"task 't', split all, .*x.jsonl:2: no column 'label' .*; the data has: text"):
        load(tmp_path, "x.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n')


def test_the_columns_of_the_file_are_named_and_not_those_that_were_taken(tmp_path):
    with pytest.raises(BenchError, match=r"x.csv:2: no column 'label' .*; the data has: a, b; say .*as {label: NAME}"):
        load(tmp_path, "x.csv", "a,b\n1,2\n", format="csv", columns={"text": "a"})


def test_nested_columns_and_lists_of_references():
    row = {"translation": {"en": "a", "de": "b"}, "other": "c", "none": "", "a.b": 1}
    assert bind(
        [row], {"source": "translation.en", "target": {"list": ["translation.de", "other", "none"]}, "n": "a.b"}
    ) == [{"source": "a", "target": ["b", "c"], "n": 1}]
    with pytest.raises(BenchError, match="row 1, for 'source': unknown column 'fr'; valid: en, de"):
        bind([row], {"source": "translation.fr"})
    with pytest.raises(BenchError, match=r"write {list: \[a, b\]}"):
        bind([row], {"target": {"all": ["other"]}})


def test_an_index_counts_the_columns_of_the_first_row():
    rows = [{"a": 1, "b": 2}, {"b": 3, "a": 4}]
    assert bind(rows, {"x": 1}) == [{"x": 2}, {"x": 3}]
    assert bind([{"0": 1, "1": 2}], {"x": 1}) == [{"x": 2}]
    for column in (2, -1, "1"):
        with pytest.raises(BenchError, match=f"unknown column '{column}'; valid: a, b"):
            bind(rows, {"x": column})


def test_references_reach_the_family(tmp_path):
    text = '{"en": "a", "de": "b", "de2": "c"}\n' * 5
    splits, _ = load(
        tmp_path, "x.jsonl", text, "translation", columns={"source": "en", "target": {"list": ["de", "de2"]}}
    )
    assert splits["test"][0]["target"] == ["b", "c"]


@pytest.mark.parametrize(
    ("tags", "scheme", "expected", "options"),
    [
        (["S-X", "B-Y", "E-Y", "O"], "bioes", ["B-X", "B-Y", "I-Y", "O"], {}),
        (["I-X", "I-X", "O", "I-Y"], "io", ["B-X", "I-X", "O", "B-Y"], {}),
        (["X", "X", "O", "Y"], "io", ["B-X", "I-X", "O", "B-Y"], {"scheme": "io"}),
        ("B-X I-X O B-Y", "iob2", ["B-X", "I-X", "O", "B-Y"], {}),
        ([1, 2, 0, 1], "iob2", ["B-X", "I-X", "O", "B-X"], {"labels": ("O", "B-X", "I-X")}),
    ],
)
def test_tags_of_any_format_become_iob2(tmp_path, tags, scheme, expected, options):
    import json

    text = (json.dumps({"words": "a b c d", "tags": tags}) + "\n") * 5
    labels = options.pop("labels", None)
    splits, report = load(tmp_path, "x.jsonl", text, "ner", labels=labels, options=options)
    assert splits["train"][0]["words"] == ["a", "b", "c", "d"]
    assert splits["train"][0]["tags"] == expected
    assert report["all"]["scheme"] == scheme and report["all"]["irregular"] == 0


def test_a_reader_s_own_scheme_is_what_is_reported(tmp_path):
    _, report = load(tmp_path, "x.conll", "a S-X\n\n" * 5 + "a B-X\nb E-X\n", "ner", "conll")
    assert report["all"]["scheme"] == "bioes"


@pytest.mark.parametrize(
    ("family", "row", "alike"),
    [
        ("sentiment", lambda n: {"text": f"text {n}", "label": "ab"[n % 2]}, {"text": "the very same"}),
        (
            "text-classification",
            lambda n: {"text": f"t {n}", "text_pair": f"p {n}", "label": "ab"[n % 2]},
            {"text": "s", "text_pair": "s"},
        ),
        ("ner", lambda n: {"words": ["Ann", f"w{n}"], "tags": ["B-PER", "O"]}, {"words": ["Ann", "ran"]}),
        ("translation", lambda n: {"source": f"a {n}", "target": f"b {n}"}, {"source": "the very same"}),
    ],
)
def test_splits_that_are_made_keep_equal_texts_together_and_say_so(tmp_path, family, row, alike):
    import json

    rows = [{**row(n), **(alike if n % 6 == 0 else {})} for n in range(120)]
    adapter = registry.family(family)
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    task = Task("t", family, FileSource("jsonl", {"all": tmp_path / "x.jsonl"}))
    data = load_rows(task, adapter)
    keys = [{adapter.key(one) for one in part} for part in data.splits.values()]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert "equal texts together, seed 42" in data.rule
    assert [len(part) for part in data.splits.values()] == [72, 24, 24]
    assert load_rows(task, adapter).splits == data.splits


def test_where_nearly_all_texts_are_equal_they_come_to_both_sides_and_the_rule_says_so(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a", "label": 0}\n{"text": "a", "label": 1}\n' * 10)
    task = Task("t", "sentiment", FileSource("jsonl", {"all": tmp_path / "x.jsonl"}))
    assert "equal texts on both sides" in load_rows(task, registry.family("sentiment")).rule


def test_the_publisher_s_splits_are_left_as_they_are(tmp_path):
    text = "text,label\n" + "the same,0\nanother,1\n" * 5
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.csv").write_text(text)
    source = FileSource("csv", {name: tmp_path / f"{name}.csv" for name in ("train", "validation", "test")})
    data = load_rows(Task("t", "sentiment", source), registry.family("sentiment"))
    assert data.rule == "publisher's splits" and [len(part) for part in data.splits.values()] == [10, 10, 10]


def test_which_rows_are_tested_is_part_of_the_identity_of_files_that_are_split_here(tmp_path, monkeypatch):
    from harness.data import source as module

    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.csv").write_text("text,label\na,1\n")
    whole = FileSource("csv", {name: tmp_path / f"{name}.csv" for name in ("train", "dev", "test")})
    cut = FileSource("csv", {"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"})
    before = whole.fingerprint(), cut.fingerprint()
    monkeypatch.setattr(module, "RULE", 3)
    assert whole.fingerprint() == before[0] and cut.fingerprint() != before[1]
