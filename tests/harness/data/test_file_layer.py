"""The file layer: pointers, line ends, empty rows, Excel's sep line, very long cells."""

import json
import re

import pytest

from harness import registry
from harness.data.file_checks import LONGEST
from harness.data.file_layer import read_bytes, read_text, split_lines
from harness.data.readers import delimited, excel, json_rows, labelled
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.models.resolve import resolve
from harness.planning.quick import quick_task
from harness.planning.references import find_tasks
from harness.planning.suite import Suite
from harness.planning.taskfile import load_task
from harness.scaffold.new import write_task_file

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 5242880\n"
ROWS = "".join(f"text {number},{number % 2}\n" for number in range(6))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.zip", "a.txt", "a.csv.gz", "a"])
def test_a_pointer_is_named_whatever_the_format(tmp_path, name):
    (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(BenchError, match=r"a.*: is a Git LFS pointer, not the file \(5.2 MB\); run: git lfs pull"):
        read_bytes(tmp_path / name)


def test_other_pointers_and_web_pages(tmp_path):
    (tmp_path / "a.csv").write_text("../../.git/annex/objects/Xk/9f/MD5E-s12--0a.csv/MD5E-s12--0a.csv\n")
    with pytest.raises(BenchError, match=r"git-annex pointer, not the file; run: git annex get a.csv"):
        read_bytes(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")
    with pytest.raises(BenchError, match=r"b.csv: is a web page"):
        read_bytes(tmp_path / "b.csv")
    (tmp_path / "c.txt").write_text("<html> is where a page begins\n")
    assert read_bytes(tmp_path / "c.txt")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"])
def test_a_pointer_among_the_files_of_a_model_is_named_before_anything_is_loaded(tmp_path, checkpoints, name):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in checkpoints("bert").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / name).write_bytes(POINTER)
    with pytest.raises(BenchError, match=rf"{name}: is a Git LFS pointer"):
        resolve(str(folder))


def test_carriage_returns_end_lines_if_there_are_no_newlines(tmp_path):
    (tmp_path / "a").write_bytes(b"one\rtwo\r")
    (tmp_path / "b").write_bytes(b"one\rstill one\ntwo\r\n")
    assert split_lines(read_text(tmp_path / "a")) == ["one", "two"]
    assert split_lines(read_text(tmp_path / "b")) == ["one\rstill one", "two"]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_sep_line_sets_the_delimiter_and_is_not_the_header(tmp_path, first, end):
    (tmp_path / "a.csv").write_bytes(end.join([first, "text;label", "a, b, c;1", "d;0", ""]).encode())
    report = {}
    rows = delimited.read_csv(tmp_path / "a.csv", report=report)
    assert rows == [{"text": "a, b, c", "label": "1"}, {"text": "d", "label": "0"}]
    assert report == {"first_line": first, "delimiter": "semicolon"}
    assert rows[0].place().endswith("a.csv:3")


def test_a_sep_line_that_contradicts_the_stated_delimiter(tmp_path):
    (tmp_path / "a.tsv").write_text("sep=;\na;b\n1;2\n")
    with pytest.raises(BenchError, match=r"a.tsv:1: sep=; says another delimiter.*delimiter: ';'"):
        delimited.read_tsv(tmp_path / "a.tsv")
    assert delimited.read_tsv(tmp_path / "a.tsv", delimiter=";") == [{"a": "1", "b": "2"}]


def test_empty_rows_are_skipped_and_counted(tmp_path):
    (tmp_path / "a.csv").write_text("text;label\n;\nfine;1\n\n ; \n;;;;\nbad;0\n;\n")
    report = {}
    assert len(delimited.read_csv(tmp_path / "a.csv", report=report)) == 2
    assert report == {"delimiter": "semicolon", "empty_rows": 5}
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n')
    assert len(json_rows.read_jsonl(tmp_path / "a.jsonl", report=report)) == 2 and report["empty_rows"] == 1
    (tmp_path / "a.label").write_text("x one\n\n\ny two\n")
    assert len(labelled.read(tmp_path / "a.label", report=report)) == 2 and report["empty_rows"] == 2


def test_empty_rows_of_a_sheet_are_counted(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["text", "label"], ["a", 1], [None, None], ["b", 2]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    report = {}
    assert len(excel.read(tmp_path / "a.xlsx", report=report)) == 2 and report == {"empty_rows": 1}


def test_a_very_long_cell_is_refused_with_its_row(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + ROWS + '"' + "word " * (LONGEST // 5) + 'x",1\n')
    with pytest.raises(
        BenchError, match=r"a.csv:8: 1,000,001 characters in column 'text', where 1,000,000 are the most"
    ):
        FileSource("csv", {"all": tmp_path / "a.csv"}).read()


FRAME = [{"text": f"text {number}", "label": number % 2} for number in range(4)]
ORIENTS = {
    "columns": {
        "text": {str(n): row["text"] for n, row in enumerate(FRAME)},
        "label": {str(n): row["label"] for n, row in enumerate(FRAME)},
    },
    "index": {str(n): row for n, row in enumerate(FRAME)},
    "list": {"text": [row["text"] for row in FRAME], "label": [row["label"] for row in FRAME]},
    "split": {
        "columns": ["text", "label"],
        "index": [0, 1, 2, 3],
        "data": [[row["text"], row["label"]] for row in FRAME],
    },
    "rows of the Hub's viewer": {
        "rows": [{"row_idx": n, "row": row, "truncated_cells": []} for n, row in enumerate(FRAME)]
    },
}


@pytest.mark.parametrize("orient", ORIENTS)
def test_every_orient_of_a_data_frame_gives_the_same_rows(tmp_path, orient):
    (tmp_path / "a.json").write_text(json.dumps(ORIENTS[orient]))
    report = {}
    assert json_rows.read_json(tmp_path / "a.json", report=report) == FRAME and report == {"orient": orient}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([["a", 1], ["b", 0]], 'element 0 is list.*orient="records"'),
        ({"columns": ["a", "b"], "data": [[1, 2], [3]]}, "element 1 is list"),
        (
            {"rows": [{"row": {"a": "b…"}, "truncated_cells": ["a"]}]},
            r"rows\[0\]: a cell that the Hub's viewer has cut short",
        ),
        ([["Ann ran", {"entities": [[0, 3, "PER"]]}]], "spaCy's pairs"),
        ({"a": {"x": 1}, "b": {"y": 2}}, "neither a list of objects"),
    ],
)
def test_json_that_is_not_a_table(tmp_path, content, words):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(BenchError, match=words):
        json_rows.read_json(tmp_path / "a.json")


def test_a_data_frame_on_one_line_is_not_a_single_row(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(ORIENTS["list"]))
    with pytest.raises(BenchError, match=r"a.jsonl:1: one object with all rows"):
        json_rows.read_jsonl(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("text", "words"),
    [('[{"a": 1},\n{"a": 2},\n]', "a.json:3: .*comma"), ('{\n"a": 1\n}\n{\n"a": 2\n}\n', "a.json:4: .*jsonl")],
)
def test_errors_of_broken_json_say_how_to_fix_it(tmp_path, text, words):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BenchError, match=words):
        json_rows.read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("address", "cure"),
    [
        ("https://example.org/data/train.csv", "download it first (curl -LO https://example.org/data/train.csv) and name the file"),
        ("s3://bucket/train.csv", "copy it here first and name the file"),
        ("https://huggingface.co/datasets/stanfordnlp/sst2", "write data: {hub: stanfordnlp/sst2} for this data set of the Hub"),
        ("hf://datasets/stanfordnlp/sst2/train.csv", "write data: {hub: stanfordnlp/sst2}"),
        ("file:///data/train.csv", "write the path alone: /data/train.csv"),
    ],
)  # fmt: skip
def test_an_address_is_refused_with_advice(address, cure, tmp_path):
    def of_file(files):
        (tmp_path / "t.yaml").write_text(f"family: translation\ndata: {{format: lines, files: {files}}}\n")
        load_task(tmp_path / "t.yaml")

    tries = [
        lambda: of_file(f'{{train: {{source: a.en, target: "{address}"}}}}'),
        lambda: of_file(f'{{train: ["{address}"]}}'),
        lambda: FileSource("csv", {"all": address}).read(),
        lambda: quick_task(registry.family("sentiment"), address),
        lambda: quick_task(registry.family("translation"), f"{address}.en+{address}.de"),
        lambda: write_task_file(address, None, None, (), force=False),
        lambda: find_tasks([f"{address}.yaml"], Suite("", 1, "", {}, (), ())),
    ]
    for attempt in tries:
        with pytest.raises(BenchError, match=re.escape("is an address, not a file; ")) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    with pytest.raises(BenchError, match=re.escape(cure)):
        FileSource("csv", {"all": address}).read()
