"""Columns and labels."""

import pytest

from harness.data.columns import bind, label_mapping, label_names, read_labels
from harness.errors import BenchError


def test_bind_by_name_by_index_and_joined():
    rows = [{"0": "3", "1": "Title", "2": "Body"}, {"0": "1", "1": " ", "2": "Only"}]
    assert bind(rows, {"text": [1, 2], "label": 0}) == [
        {"text": "Title Body", "label": "3"},
        {"text": "Only", "label": "1"},
    ]
    assert bind([{"sentence": "a", "x": None}], {"text": "sentence"}) == [{"text": "a"}]
    assert bind([{"a": None, "b": 2}], {"text": ["a", "b"]}) == [{"text": "2"}]


def test_bind_keeps_what_it_is_told_and_changes_nothing_in_the_rows():
    rows = [{"id": 1, "group": "g", "words": ["a"], "other": 0}]
    assert bind(rows, {}) == rows
    assert bind(rows, {"tokens": "words"}) == [{"id": 1, "group": "g", "tokens": ["a"]}]
    assert bind(rows, {"tokens": "words", "id": "other"}, keep=["id"]) == [{"tokens": ["a"], "id": 0}]
    assert rows == [{"id": 1, "group": "g", "words": ["a"], "other": 0}]


def test_bind_names_row_and_nearest_column():
    rows = [{"sentence": "a", "label": "0"}, {"label": "0"}]
    with pytest.raises(BenchError, match="row 1, for 'text': unknown column 'sentense'; did you mean 'sentence'"):
        bind(rows, {"text": "sentense"})
    with pytest.raises(BenchError, match="row 2, for 'text': unknown column 'sentence'; valid: label"):
        bind(rows, {"text": "sentence"})


def names(values, labels):
    return [row["label"] for row in label_names([{"label": value} for value in values], labels)]


def test_labels_from_a_mapping_a_list_or_nothing():
    assert names(["1", 2, " 2 "], {1: "World", "2": "Sports"}) == ["World", "Sports", "Sports"]
    assert names(["0", 1, "positive"], ["negative", "positive"]) == ["negative", "positive", "positive"]
    assert names([1, "b ", True], None) == ["1", "b", "True"]
    assert names(["a", "b"], {"a": "x", "b": "x"}) == ["x", "x"]


def test_numbers_as_names_are_not_taken_for_indices():
    assert names(["1", 5], ("1", "2", "3", "4", "5")) == ["1", "5"]
    with pytest.raises(BenchError, match="unknown label '0'"):
        names(["0"], ("1", "2"))


def test_unknown_missing_and_repeated_labels():
    with pytest.raises(BenchError, match="row 2: unknown label 'postive'; did you mean 'positive'"):
        names(["positive", "postive"], {"positive": "good"})
    for nothing in (None, "", " "):
        with pytest.raises(BenchError, match="row 1 has no label in 'label'"):
            names([nothing], None)
    with pytest.raises(BenchError, match="a name occurs twice"):
        label_mapping(["a", "a"])


def test_the_other_columns_stay_and_the_rows_too():
    rows = [{"label": 0, "text": "t"}]
    assert label_names(rows, ["no"]) == [{"label": "no", "text": "t"}]
    assert label_names([{"y": 0}], ["no"], column="y") == [{"y": "no"}]
    assert rows == [{"label": 0, "text": "t"}]


def test_names_from_a_file_counted_from_one(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_bytes("\ufeffWorld\r\nSci/Tech\n\n".encode())
    assert read_labels(path) == {"0": "World", "1": "Sci/Tech"}
    assert read_labels(path, first=1) == {"1": "World", "2": "Sci/Tech"}
