"""The border: every value of a declared column has one type behind it, whatever the data set holds."""

import json
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import registry
from harness.data import values
from harness.data.printed import printed
from harness.data.source import FileSource, GeneratedSource
from harness.errors import BenchError
from harness.task import Task
from harness.task_data import load_data

MISSING = [None, float("nan"), np.float32("nan"), Decimal("NaN"), pd.NA, pd.NaT, np.datetime64("NaT")]


def read(rows, family="sentiment", **task):
    """Splits and report of generated rows; a list is all of the data."""
    splits = rows if isinstance(rows, dict) else {"all": rows}
    data = load_data(Task("t", family, GeneratedSource(lambda: splits, "test"), **task), registry.family(family))
    return [row for part in data.splits.values() for row in part], data.reports


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"), (np.str_("a"), "a"), (b"caf\xc3\xa9", "café"), (bytearray(b"a"), "a"), (memoryview(b"a"), "a"),
        (True, "true"), (np.bool_(False), "false"),
        (1, "1"), (1.0, "1"), (-0.0, "0"), (Decimal("1.00"), "1"), (np.int8(1), "1"), (np.float64(1), "1"),
        (0.1, "0.1"), (Decimal("0.10"), "0.1"), (np.float32(0.1), "0.1"), (float(np.float32(0.1)), "0.1"), (np.float16(0.1), "0.1"),
        (1e-7, "0.0000001"), (10**20, "1" + 20 * "0"),
        *((value, None) for value in MISSING),
    ],
)  # fmt: skip
def test_a_value_has_one_text(value, expected):
    assert values.scalar(value, values.Notes()) == expected


@pytest.mark.parametrize("value", [b"\xff", [], ["a"], {"a": 1}, {"a"}, pd.Timestamp("2024-01-01"), object(), 1j])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValueError, match=r"not UTF-8|neither a text nor a number"):
        values.scalar(value, values.Notes())


@pytest.mark.parametrize("value", [float("inf"), -np.inf, np.float32("inf"), Decimal("-Infinity"), np.array(np.inf)])
def test_infinity_is_no_text(value):
    with pytest.raises(ValueError, match=r"the number -?Infinity, which is neither a text nor a class"):
        values.scalar(value, values.Notes())


@pytest.mark.parametrize(
    ("family", "row", "column"),
    [
        ("sentiment", {"text": "a", "label": float("inf")}, "label"),
        ("sentiment", {"text": float("-inf"), "label": "a"}, "text"),
        ("sentiment", {"text": "a", "label": "a", "id": float("inf")}, "id"),
        ("ner", {"words": ["a", float("inf")], "tags": ["O", "O"]}, "words"),
        ("ner", {"words": ["a"], "tags": [float("inf")]}, "tags"),
        ("translation", {"source": float("inf"), "target": "a"}, "source"),
        ("translation", {"source": "a", "target": ["a", float("inf")]}, "target"),
        ("qa", {"question": "a", "context": "a", "answers": {"text": ["a"], "answer_start": [float("inf")]}}, "no whole number"),
        ("qa", {"question": "a", "context": "a", "answers": {"text": [float("inf")], "answer_start": [0]}}, "Infinity"),
    ],
)  # fmt: skip
def test_infinity_is_refused_in_every_column(family, row, column):
    with pytest.raises(BenchError, match=rf"row 1: .*{column}"):
        read([row], family)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "{'a': 1, 'a': 2}", "[{'b': 1}, {'a': array([1]), 'a': array([2])}]"]
)
def test_a_printed_object_with_a_key_twice_is_refused(text):
    with pytest.raises(ValueError, match="the key 'a' stands twice in an object"):
        printed(text)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_no_two_numbers_share_a_text(number):
    text = values.scalar(number, values.Notes())
    exact = float(text) == number
    assert exact or np.float32(text) == np.float32(number) == number


@given(
    st.lists(
        st.sampled_from(["a", "it's", 'say "x"', "...", "1", "", "[", "é", "a b"]) | st.text(max_size=5), min_size=1
    )
)
def test_a_printed_list_is_the_list(items):
    for text in (
        str(items),
        json.dumps(items),
        json.dumps(items, ensure_ascii=False),
        repr(tuple(items)),
        f"array({items}, dtype=object)",
    ):
        assert list(printed(text)) == items
    if all(item.isprintable() for item in items):  # numpy prints others as Python does, but for line breaks
        assert printed(str(np.array(items, dtype=object))) == items
        assert printed(" ".join(["[", *map(repr, items), "]"])) == items


@given(st.lists(st.integers(-999, 999), min_size=1, max_size=50))
def test_a_printed_array_of_numbers_is_the_list(numbers):
    assert printed(str(np.array(numbers))) == printed(str(numbers)) == numbers


@pytest.mark.parametrize(
    "text", ["['a' 'b' ... 'c']", "[1 2 3 ... 7 8 9]", "[1, ..., 3]", str(np.arange(5000)), "{'a': 1, ...}"]
)
def test_a_list_that_was_cut_short_is_refused(text):
    with pytest.raises(ValueError, match=r"cut short by \.\.\. when it was printed; write all of it, as JSON"):
        printed(text)


@pytest.mark.parametrize(
    "text", ["[...]", "[Ann, Lee]", "[NEG]", "(1)", "{a}", "a", "", "[", "['a]", "[" * 9999 + "]" * 9999, "[f(1)]"]
)
def test_other_texts_in_brackets_are_no_lists(text):
    assert printed(text) is None


def test_labels_of_every_type_have_one_name():
    for written in (
        [0, 1],
        [0.0, 1.0],
        ["0", "1"],
        [b"0", b"1"],
        [Decimal("0.00"), Decimal("1.00")],
        [[0], ["1"]],
        ["[0]", "['1']"],
    ):
        rows, _ = read([{"text": f"t{number}", "label": written[number % 2]} for number in range(20)])
        assert {row["label"] for row in rows} == {"0", "1"}
    rows, _ = read([{"text": "t", "label": number % 2 == 0} for number in range(20)])
    assert {row["label"] for row in rows} == {"true", "false"}


@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_label_is_an_error_and_a_missing_text_is_empty(missing):
    good = [{"text": f"t{number}", "label": number % 2} for number in range(20)]
    with pytest.raises(BenchError, match="row 21: no label"):
        read([*good, {"text": "a", "label": missing}])
    rows, _ = read([*good, {"text": missing, "label": 0}])
    assert [row["label"] for row in rows if row["text"] == ""] == ["0"]
    rows, _ = read([*good, {"text": 0, "label": 0}])
    assert "0" in {row["text"] for row in rows}


@pytest.mark.parametrize(
    "label",
    [
        ["joy", "anger"],
        ("joy", "anger"),
        "['joy', 'anger']",
        "['joy' 'anger']",
        '["joy", "anger"]',
        np.array(["joy", "anger"]),
    ],
)
def test_several_labels_are_refused(label):
    with pytest.raises(
        BenchError, match=r"row 1: label: a row has several labels \(joy, anger\); bench classifies into one"
    ):
        read([{"text": "t", "label": label}])


def test_an_object_is_no_label_and_its_field_is():
    rows = [{"text": f"t{number}", "label": {"name": "ab"[number % 2], "id": 0}} for number in range(20)]
    with pytest.raises(
        BenchError, match=r"label: an object with name, id; take one of its fields by its path, such as `COLUMN.name`"
    ):
        read(rows)
    assert {row["label"] for row in read(rows, columns={"text": "text", "label": "label.name"})[0]} == {"a", "b"}


def test_lists_without_quotes_are_no_classes():
    rows = [{"text": "t", "label": "[joy]" if number % 2 else "[joy, anger]"} for number in range(20)]
    with pytest.raises(
        BenchError, match=r"row 1: label: '\[joy, anger\]': most values of the column are printed lists"
    ):
        read(rows)


def test_what_was_converted_is_counted():
    rows = [{"text": b"t", "label": " a" if number % 2 else ["b"]} for number in range(10)]
    _, found = read([*rows, {"text": "half \ud83d", "label": "a"}])
    assert found["all"] == {"decoded": 10, "trimmed_labels": 5, "single_lists": 5, "surrogates": 1}


def splits(train, test):
    return {
        "train": [{"text": f"t{number}", "label": train[number % len(train)]} for number in range(20)],
        "test": [{"text": f"t{number}", "label": test[number % len(test)]} for number in range(10)],
    }


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (["0", "1"], ["0.0", "1.0"], {"0", "1"}),
        (["0.0", "1.0"], [0, 1], {"0.0", "1.0"}),
        ([True, False], ["TRUE", "False"], {"true", "false"}),
        (["01", "02"], ["1", "2"], {"01", "02"}),
        (["0.000", "2.500"], ["0.0", 2.5], {"0.000", "2.500"}),
        (["1", "1.0", "2"], ["2.0"], {"1", "2"}),  # one file that pandas put together from two
    ],
)
def test_labels_that_differ_in_spelling_alone_are_one(train, test, expected):
    rows, found = read(splits(train, test))
    assert {row["label"] for row in rows} == expected
    assert found["test"]["label_spellings"] == 10


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (["1.1", "1.10"], ["1.1", "1.10"]),  # sections
        (["01", "1"], ["1", "2"]),
        (["a", "b"], ["A", "b"]),
    ],
)
def test_labels_that_may_be_different_names_stay_apart(train, test):
    rows, found = read(splits(train, test))
    assert {row["label"] for row in rows} == {*train, *test}
    assert not any("label_spellings" in report for report in found.values())


WORDS = ["Ann", "Lee", "ran"]
PRINTED = [str(WORDS), json.dumps(WORDS), str(np.array(WORDS)), str(np.array(WORDS, dtype=object)), "array(['Ann', 'Lee', 'ran'], dtype=object)", WORDS, tuple(WORDS), np.array(WORDS), "Ann Lee ran"]  # fmt: skip


@pytest.mark.parametrize("words", PRINTED)
@pytest.mark.parametrize(
    "tags", ["[1 2 0]", "[1, 2, 0]", [1, 2, 0], [1.0, 2.0, 0.0], "1 2 0", "['B-PER' 'I-PER' 'O']", "B-PER I-PER O"]
)
def test_words_and_tags_in_every_form(words, tags):
    names = {0: "O", 1: "B-PER", 2: "I-PER"} if "1" in str(tags) else None
    rows, _ = read([{"words": words, "tags": tags}] * 9, "ner", labels=names)
    assert all(row["words"] == WORDS and row["tags"] == ["B-PER", "I-PER", "O"] for row in rows)


@pytest.mark.parametrize("words", ["[Ann, Lee]", "['Ann' 'Lee'", "['Ann' ... 'Lee']", "[Ann Lee]"])
def test_lists_of_words_that_cannot_be_read_are_never_cut_at_blanks(words):
    good = [{"words": "['Ann', 'Lee']", "tags": "['O', 'O']"}] * 9
    with pytest.raises(BenchError, match=r"row 10: words: .*(write it as JSON|write all of it, as JSON)"):
        read([*good, {"words": words, "tags": "['O', 'O']"}], "ner")


def test_sentences_in_brackets_are_sentences():
    rows, _ = read(
        [{"words": "[ Applause ]" if number % 3 == 0 else "Ann ran off", "tags": "O O O"} for number in range(9)], "ner"
    )
    assert {tuple(row["words"]) for row in rows} == {("[", "Applause", "]"), ("Ann", "ran", "off")}
    texts = [{"source": "x", "target": "[Applause]"}] * 9
    assert all(row["target"] == ["[Applause]"] for row in read(texts, "translation")[0])


def test_printed_lists_of_references():
    rows, found = read([{"source": b"x", "target": "['a', 'b']"}] * 9, "translation")
    assert all((row["source"], row["target"]) == ("x", ["a", "b"]) for row in rows) and found["all"]["printed"] == 9
    rows, _ = read([{"source": "x", "target": ["a", None]}] * 9, "translation")
    assert all(row["target"] == ["a"] for row in rows)


def test_ids_and_groups_are_texts():
    rows, _ = read(
        [{"id": number or None, "group": float(number), "text": "t", "label": number % 2} for number in range(20)]
    )
    assert {row["id"] for row in rows} == {"all-0", *map(str, range(1, 20))}
    assert {row["group"] for row in rows} == set(map(str, range(20)))
    with pytest.raises(BenchError, match="row 1: group: a list, not a text"):
        read([{"group": ["a"], "text": "t", "label": "a"}])


@pytest.mark.parametrize("column", ["text", "label", "id", "group", "phenomenon"])
def test_half_a_surrogate_pair_is_replaced_in_every_column(column):
    row = {"text": "t", "label": "a", "id": "i", "group": "g", "phenomenon": "p"}
    rows, found = read(
        [{**row, "label": "b", "group": f"{number}", column: f"x\ud83d{number % 5}"} for number in range(10)]
    )
    assert {row[column].partition("#")[0] for row in rows} == {f"x\ufffd{number}" for number in range(5)} and found[
        "all"
    ]["surrogates"] == 10
    json.dumps(rows, ensure_ascii=False).encode()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.text("\ud83d\ude00ab[]'\", "), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=5), st.sampled_from([values.TEXT, values.LABEL, values.WORDS, values.TAGS, values.TEXTS, values.NESTED]))  # fmt: skip
def test_any_value_becomes_its_type_or_a_value_error(value, kind):
    notes = values.Notes()
    try:
        convert = values.converter(kind, [value], notes)
        made = value if convert is None else convert(value)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    expected = {values.TEXT: str, values.LABEL: str, values.NESTED: object}.get(kind, list)
    assert isinstance(made, expected)
    for text in [made] if isinstance(made, str) else made if isinstance(made, list) and kind != values.NESTED else []:
        assert isinstance(text, str) and text.encode() is not None
    assert all(number >= 0 for number in notes.values())


def test_the_published_kinds_of_files(shared):
    """Files that other programs wrote: what they hold is read as the same rows, and told."""
    folder = shared / "cases" / "10-parquet-binary-text"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    labels = Counter()
    for name in ("binary", "binary-label", "binary-text-dictionary-label"):
        task = Task("t", "sentiment", FileSource("parquet", {"all": folder / f"{name}.parquet"}))
        data = load_data(task, registry.family("sentiment"))
        rows = [row for part in data.splits.values() for row in part]
        assert data.reports["all"]["decoded"] and not any(row["text"].startswith("b'") for row in rows)
        labels.update(row["label"] for row in rows)
    assert labels == {"good": 96, "bad": 96}


def test_whole_numbers_stay_what_they_are_as_floats():
    """Ids of eight digits are exact in narrow floats too, whose shortest text would round them."""
    for number in (123456784, 123456780, 20000001, 9007199254740, 7, -3, 0):
        assert values.scalar(float(number), values.Notes()) == values.scalar(number, values.Notes()) == str(number)
    assert values.scalar(0.5, values.Notes()) == "0.5"
