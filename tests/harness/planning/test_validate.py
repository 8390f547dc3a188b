"""The line about a task's rows before training."""

import pytest

from harness.check.report import validate
from harness.data.source import FileSource, GeneratedSource
from harness.errors import BenchError
from harness.planning.plan import is_local
from harness.task import Task


def rows():
    return {"train": []}


def test_is_local():
    assert is_local(Task("t", "sentiment", FileSource("csv", {"all": "none.csv"})))
    assert not is_local(Task("t", "sentiment", GeneratedSource(rows, "rows")))


def test_line_of_rows_labels_and_format(tmp_path):
    (tmp_path / "x.csv").write_text("text;label\n" + "".join(f"a, {n};{'no' if n % 2 else 'yes'}\n" for n in range(20)))
    task = Task("t", "sentiment", FileSource("csv", {"all": tmp_path / "x.csv"}))
    assert validate(task) == "rows: train 12, validation 4, test 4; 2 labels: no, yes; delimiter semicolon"


def test_numbers_are_added_up_over_splits(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / name).write_text("-DOCSTART- O\n\na I-X\nb O\nc B-X\n")
    files = {name: tmp_path / name for name in ("train", "dev", "test")}
    said = validate(Task("t", "ner", FileSource("conll", files, {"scheme": "iob2"})))
    assert said == ("rows: train 1, validation 1, test 1; 3 labels: O, B-X, I-X; 3 documents, kept together")
    (tmp_path / "test").write_text("a B-X\n")
    files = {"train": tmp_path / "test", "dev": tmp_path / "dev", "test": tmp_path / "train"}
    (tmp_path / "dev").write_text("b B-X\n")
    (tmp_path / "train").write_text("c B-X\n")
    assert (
        validate(Task("t", "ner", FileSource("conll", files)))
        == "rows: train 1, validation 1, test 1; 3 labels: O, B-X, I-X"
    )


def test_rejects_one_class(tmp_path):
    (tmp_path / "x.conll").write_text("a O\n\n" * 9)
    with pytest.raises(BenchError, match=r"task 't' \(conll: x.conll\): the training rows have one class only \(O\)"):
        validate(Task("t", "ner", FileSource("conll", {"all": tmp_path / "x.conll"})))


def test_error_of_the_family_stops_the_plan(tmp_path):
    (tmp_path / "x.jsonl").write_text("".join(f'{{"question": "q{n}", "context": "a b {n}", "answers": {{"text": [], "answer_start": []}}}}\n' for n in range(20)))
    with pytest.raises(BenchError, match=r"task 't' .*: train has no question with an answer, so there is nothing to learn"):
        validate(Task("t", "qa", FileSource("jsonl", {"all": tmp_path / "x.jsonl"})))
