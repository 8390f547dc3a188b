"""Excel workbooks: the rows equal those of a CSV of the sheet; without openpyxl there is a one-line error."""

import datetime
import sys
import zipfile

import pytest

from harness import registry
from harness.check.report import validate
from harness.data.readers import READERS
from harness.errors import BenchError
from harness.planning.quick import quick_task

ROWS = [["review", "stars", None], *([f"it was so, number {number}", number % 2 + 1, None] for number in range(20))]


def workbook(path, *sheets):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"more {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_rows_are_those_of_a_csv(tmp_path):
    day = datetime.datetime(2024, 5, 1)
    path = workbook(tmp_path / "x.xlsx", [["a", "b", "c"], ["text", 1, 1.5], [], [None, 2.0, day], ["x", True, None]])
    rows = READERS["xlsx"](str(path))
    assert rows == [
        {"a": "text", "b": "1", "c": "1.5"}, {"a": "", "b": "2", "c": "2024-05-01 00:00:00"}, {"a": "x", "b": "True", "c": ""},
    ]  # fmt: skip
    assert [row.place() for row in rows] == [f"{path}:{line}" for line in (2, 4, 5)]
    assert READERS["xlsx"](str(path), header=False)[0] == {"0": "a", "1": "b", "2": "c"}
    assert READERS["xlsx"](str(path), header=["p", "q", "r"])[1]["p"] == "text"
    with pytest.raises(BenchError, match="3 columns, but `header` names 1"):
        READERS["xlsx"](str(path), header=["p"])
    workbook(tmp_path / "y.xlsx", [["a", "a"], [1, 2]])
    with pytest.raises(BenchError, match="column 'a' occurs twice"):
        READERS["xlsx"](str(tmp_path / "y.xlsx"))


def test_the_quick_case_and_its_sheet(tmp_path):
    path = workbook(tmp_path / "reviews.xlsx", ROWS, [["other"], [1]])
    task = quick_task(registry.family("sentiment"), str(path))
    assert dict(task.columns) == {"text": "review", "label": "stars"}
    assert validate(task).startswith("rows: train 12, validation 4, test 4; 2 labels: 1, 2; the first sheet, Sheet")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "reviews.xlsx")
    packed = quick_task(registry.family("sentiment"), f"{tmp_path}/all.zip!reviews.xlsx")
    assert packed.source.fingerprint() == task.source.fingerprint()
    assert READERS["xlsx"](str(path), sheet="more 1") == [{"other": "1"}]
    with pytest.raises(BenchError, match="unknown sheet 'more 2'; did you mean 'more 1'"):
        READERS["xlsx"](str(path), sheet="more 2")


def test_broken_workbooks(tmp_path):
    pytest.importorskip("openpyxl")
    (tmp_path / "x.xlsx").write_text("text,label\n")
    with pytest.raises(BenchError, match=r"x.xlsx: broken zip archive"):
        READERS["xlsx"](str(tmp_path / "x.xlsx"))
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(BenchError, match=r"x.xlsx: no Excel workbook that can be read .KeyError.; save it as CSV"):
        READERS["xlsx"](str(tmp_path / "x.xlsx"))


def test_without_openpyxl_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    with pytest.raises(BenchError) as caught:
        quick_task(registry.family("sentiment"), str(tmp_path / "x.xlsx"))
    assert str(caught.value) == (
        f"{tmp_path}/x.xlsx: an Excel file, which openpyxl would read; save it as CSV, or run: pip install \"bench-harness[excel]\""
    )
    (tmp_path / "x.ods").write_bytes(b"PK")
    with pytest.raises(BenchError, match=r"x.ods: .ods is not read; save it as CSV or .xlsx"):
        quick_task(registry.family("sentiment"), str(tmp_path / "x.ods"))


def test_a_repeated_header_is_skipped_and_counted(tmp_path):
    path = workbook(tmp_path / "x.xlsx", [*ROWS[:11], ROWS[0], *ROWS[11:]])
    report: dict = {}
    rows = READERS["xlsx"](str(path), report=report)
    assert len(rows) == 20 and report == {"repeated_headers": 1} and rows[10].place() == f"{path}:13"


def test_a_first_sheet_without_a_table_is_named(tmp_path):
    path = workbook(tmp_path / "x.xlsx", [["This workbook holds reviews"]], ROWS)
    with pytest.raises(BenchError, match="its first sheet, 'Sheet', has no rows below the first; name the sheet"):
        quick_task(registry.family("sentiment"), str(path))
