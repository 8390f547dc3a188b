"""Equal files: one file named twice, or two files with equal rows."""

import gzip

import pytest

from harness import registry
from harness.check.report import examine, validate
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.task import Task

ROWS = "text,label\n" + "".join(f"a text with the number {n},{'ab'[n % 2]}\n" for n in range(30))
OTHER = ROWS.replace("number", "figure")


def codes(task):
    report, _ = examine(task, registry.family("sentiment"))
    return {finding.code: finding for finding in report.findings}


@pytest.fixture
def there(tmp_path):
    """there(name=content, ...) -> their paths by name without ending."""

    def write(**files):
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return {name: tmp_path / f"{name}.csv" for name in files}

    return write


def test_a_test_file_equal_to_train_is_reported_by_check_and_plan(there):
    paths = there(train=ROWS, test=gzip.compress(ROWS.encode()))
    task = Task("t", "sentiment", FileSource("csv", paths))
    found = codes(task)["equal-splits"]
    assert found.count == 1 and found.examples == ("test.csv = train.csv of train",)
    assert "warning: 1 files with the same rows as one of another split" in validate(task)


def test_equal_shards_are_reported(there):
    paths = there(a=ROWS, b=ROWS, c=OTHER)
    found = codes(Task("t", "sentiment", FileSource("csv", {"all": list(map(str, paths.values()))})))
    assert found["equal-files"].examples == ("b.csv = a.csv",) and "equal-splits" not in found


def test_files_that_differ_in_one_row_are_reported_by_their_equal_rows(there):
    paths = there(train=ROWS, test=ROWS.replace("number 29", "number 30"))
    found = codes(Task("t", "sentiment", FileSource("csv", paths)))
    assert "equal-splits" not in found and found["train-test-overlap"].count


def test_a_file_named_twice_in_a_list_is_read_once_and_reported(there):
    path = str(there(a=ROWS)["a"])
    task = Task("t", "sentiment", FileSource("csv", {"all": [path, path]}))
    assert validate(task).startswith("rows: train 18, validation 6, test 6") and "1 files named twice, read once" in validate(task)


def test_one_file_is_not_both_sides_of_a_translation(tmp_path):
    (tmp_path / "a.en").write_text("one line\n" * 20)
    for files in ({"source": "a.en", "target": "a.en"}, {"source": "a.en", "target": "./a.en"}):
        source = FileSource("lines", {"all": {side: str(tmp_path / name) for side, name in files.items()}})
        with pytest.raises(BenchError, match="used for both source and target"):
            source.read()
