"""Random tables and JSON against Python's csv and json: the same rows, the right counts, and no error but BenchError."""

import csv
import io
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import registry
from harness.check.report import validate
from harness.data.readers import delimited, json_rows
from harness.errors import BenchError
from harness.planning.quick import quick_task

MANY, FEW = 4_000, 200  # inputs of each test, of which there are three
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
CELL = st.one_of(TEXT, st.sampled_from(["", " ", "a", "1", "-1", "1.0", '"', "a,b", "a;b", "x\ny", "\r", "sep=;", "é", "nan"]))
NAMES = st.lists(st.text("abcdefgh_é 12", min_size=1, max_size=6).map(str.strip).filter(bool), min_size=2, max_size=4, unique=True)


def table_of(draw):
    names = draw(NAMES)
    return names, draw(st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1, max_size=12))


TABLE = st.composite(table_of)()


def written(names, rows, delimiter, end):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    return file.getvalue()


def in_file(content, name, look):
    """What `look` makes of a file of this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return look(path)


def check_table(table, delimiter, end):
    names, rows = table
    text = written(names, rows, delimiter, end)
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    filled = [row for row in read[1:] if "".join(row).strip()]
    report = {}
    found = in_file(text.encode(), "a.csv", lambda path: delimited.read_csv(path, delimiter=delimiter, report=report))
    assert [list(row.values()) for row in found] == filled
    assert report.get("empty_rows", 0) == len(read) - 1 - len(filled)


def check_bytes(content, name, family):
    """Bytes of any kind: read, or an error of ours on one line."""

    def look(path):
        try:
            return validate(quick_task(registry.family(family), str(path)))
        except BenchError as error:
            return str(error)

    assert in_file(content, name, look)


def check_lines(rows, blank):
    text = "".join(json.dumps(row, ensure_ascii=bool(blank % 2)) + "\n" * (1 + (index == blank)) for index, row in enumerate(rows))
    report = {}
    try:
        found = in_file(text.encode("utf-8"), "a.jsonl", lambda path: json_rows.read_jsonl(path, report=report))
    except BenchError as error:
        assert len(rows) == 1 and "one object with all rows" in str(error)
        return
    assert found == [json.loads(line) for line in text.split("\n") if line] == rows
    assert report.get("empty_rows", 0) == (blank < len(rows))


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ROWS = st.lists(st.dictionaries(TEXT, VALUE, min_size=1, max_size=3), min_size=1, max_size=8)
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=6),
        st.sampled_from([b"text,label\n", b"a text of some words,pos\n", b"another text,neg\n", b'{"text": "a", "label": 1}\n', b"sep=;\n", b"\n",
                         b"\r", b'"', b",", b"\t", b"Ann B-PER\nran O\n\n", b"[", b"]", b"{", b"}", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04",
                         b"\x1f\x8b", b"<html>", b"-DOCSTART- O\n\n", "café,1\n".encode("latin-1"), "好的,1\n".encode("gb18030")]),
    ),
    max_size=25,
).map(b"".join)  # fmt: skip
NAME = st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.json", "a.txt", "a.conll", "a.label", "a", "a.zip", "a.csv.gz", "a.parquet"])
FAMILY = st.sampled_from(["sentiment", "ner", "translation", "qa"])
CHECKS = {
    "tables": (check_table, (TABLE, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]))),
    "lines of JSON": (check_lines, (ROWS, st.integers(0, 10))),
    "bytes": (check_bytes, (PIECES, NAME, FAMILY)),
}


def run(name, inputs):
    check, strategies = CHECKS[name]
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    settings(max_examples=inputs, deadline=None, database=None, derandomize=not os.environ.get("BENCH_FUZZ"), suppress_health_check=quiet)(
        given(*strategies)(check)
    )()


@pytest.mark.parametrize("name", CHECKS)
def test_random_tables_and_json_lines(name):
    run(name, FEW)


@pytest.mark.long
@pytest.mark.parametrize("name", CHECKS)
def test_many_random_tables_and_json_lines(name):
    run(name, MANY)
