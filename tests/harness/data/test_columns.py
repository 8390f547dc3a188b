"""Columns and labels."""

import pytest

from harness.data.columns import bind, label_mapping, read_labels
from harness.data.source import GeneratedSource
from harness.data.values import Notes
from harness.errors import BenchError
from harness.task import Task


def test_bind_by_name_by_index_and_joined():
    rows = [{"0": "3", "1": "Title", "2": "Body"}, {"0": "1", "1": " ", "2": "Only"}]
    assert bind(rows, {"text": [1, 2], "label": 0}) == [
        {"text": "Title Body", "label": "3"},
        {"text": "Only", "label": "1"},
    ]
    assert bind([{"sentence": "a", "x": None}], {"text": "sentence"}) == [{"text": "a"}]
    assert bind([{"a": None, "b": 2}], {"text": ["a", "b"]}) == [{"text": "2"}]


def test_bind_keeps_the_requested_columns_and_does_not_change_its_input():
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
    task = Task("t", "sentiment", GeneratedSource(dict, "none"), labels=labels)
    return [task.label_name(value) for value in values]


def test_labels_from_a_mapping_a_list_or_nothing():
    assert names(["1", 2, " 2 "], {1: "World", "2": "Sports"}) == ["World", "Sports", "Sports"]
    assert names(["0", 1, "positive"], ["negative", "positive"]) == ["negative", "positive", "positive"]
    assert names([1, "b ", True, 1.0, ["b"]], None) == ["1", "b", "true", "1", "b"]
    assert names(["a", "b"], {"a": "x", "b": "x"}) == ["x", "x"]


def test_a_declared_label_has_any_spelling_of_its_number_or_truth_value():
    assert names([1, 1.0, "1.0", "0", b"0.0"], {1: "yes", "0": "no"}) == ["yes", "yes", "yes", "no", "no"]
    assert names([True, "TRUE", "False", "false"], {"True": "yes", False: "no"}) == ["yes", "yes", "no", "no"]
    assert names(["1", "1.0"], {"1": "a", "1.0": "b"}) == ["a", "b"]
    with pytest.raises(ValueError, match="label '01' is not among"):
        names(["01"], {1: "yes"})


def test_numbers_as_names_are_not_taken_for_indices():
    assert names(["1", 5], ("1", "2", "3", "4", "5")) == ["1", "5"]
    with pytest.raises(ValueError, match="label '0' is not among the task's labels: 1, 2"):
        names(["0"], ("1", "2"))


def test_unknown_missing_and_repeated_labels():
    with pytest.raises(ValueError, match="label 'postive' is not among the task's labels: positive; add it"):
        names(["postive"], {"positive": "good"})
    for nothing in (None, "", " ", float("nan"), []):
        with pytest.raises(ValueError, match="no label; leave an unlabelled split out"):
            names([nothing], None)
    with pytest.raises(BenchError, match="a name occurs twice"):
        label_mapping(["a", "a"])


@pytest.mark.parametrize("printed", ['{"en": "a", "de": "b"}', "{'en': 'a', 'de': 'b'}", b'{"en": "a", "de": "b"}'])
def test_a_path_leads_into_an_object_that_was_printed(printed):
    notes = Notes()
    rows = [{"translation": printed}]
    assert bind(rows, {"source": "translation.en", "target": "translation.de"}, notes=notes) == [
        {"source": "a", "target": "b"}
    ]
    assert notes["printed"] == 2
    with pytest.raises(BenchError, match="row 1, for 'source': unknown column 'fr'; valid: en, de"):
        bind(rows, {"source": "translation.fr"})
    with pytest.raises(BenchError, match=r"for 'source': .* was cut short by ... when it was printed"):
        bind([{"translation": "{'en': 'a', ...}"}], {"source": "translation.en"})


def test_parts_of_a_joined_text_have_the_type_of_a_text():
    assert bind([{"a": float("nan"), "b": b"\xc3\xa9", "c": 1.0}], {"text": ["a", "b", "c"]}) == [{"text": "é 1"}]
    with pytest.raises(BenchError, match="row 1, for 'text': a list, not a text"):
        bind([{"a": ["x"], "b": "y"}], {"text": ["a", "b"]})


def test_names_from_a_file_counted_from_one(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_bytes("\ufeffWorld\r\nSci/Tech\n\n".encode())
    assert read_labels(path) == {"0": "World", "1": "Sci/Tech"}
    assert read_labels(path, first=1) == {"1": "World", "2": "Sci/Tech"}
