"""Quotation marks that enclose nothing in a CSV: curly ones, and straight ones after a blank."""

import pytest

from harness.data.readers.delimited import read_csv
from harness.errors import BenchError

LINES = [f"a film number {n}" for n in range(20)]


def read(tmp_path, header, lines):
    (tmp_path / "a.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    report: dict = {}
    return read_csv(tmp_path / "a.csv", delimiter="auto", report=report), report


@pytest.mark.parametrize("marks", ["“”", "„“", "«»"])
def test_cells_that_a_delimiter_cuts_between_curly_quotes_are_refused(tmp_path, marks):
    first, last = marks
    with pytest.raises(BenchError, match=r"a\.csv:2: a cell that begins with a curly quotation mark ends in another column, as in 20 rows"):
        read(tmp_path, "text,more,label", [f"{first}{line}, indeed{last},good" for line in LINES])


def test_one_cut_row_is_reported_with_its_place(tmp_path):
    rows, report = read(tmp_path, "text,more,label", [*(f"{line},x,good" for line in LINES * 3), "“one, two”,bad"])
    assert report["cut_quotes"] == 1 and report["cut_quotes_at"] == [f"{tmp_path}/a.csv:62"] and len(rows) == 61


@pytest.mark.parametrize("line", ["“one, two”,good", "“one", "one, “two, three”, four"])
def test_a_row_with_too_many_fields_names_the_marks(tmp_path, line):
    with pytest.raises(BenchError, match=r"curly quotation marks .* enclose nothing in a CSV"):
        read(tmp_path, "text,label", [*(f"{line},good" for line in LINES), line])


def test_curly_quotes_around_most_cells_are_reported_but_not_those_inside_sentences(tmp_path):
    rows, report = read(tmp_path, "text,label", [f"“{line}”,“good”" for line in LINES])
    assert report["curly_quotes"] == 40 and rows[0]["label"] == "“good”"
    _, report = read(tmp_path, "text,label", [f"he said “{line}” twice,good" for line in LINES])
    assert report == {}


def test_quotes_after_a_blank_are_reported_and_named_in_errors(tmp_path):
    rows, report = read(tmp_path, "text, label", [f'"{line}, x", "good"' for line in LINES])
    assert report["spaced_quotes"] == 20 and rows[0]["label"] == ' "good"'
    with pytest.raises(BenchError, match="a quotation mark behind a blank encloses nothing"):
        read(tmp_path, "label, text", [f'good, "{line}, x"' for line in LINES])
