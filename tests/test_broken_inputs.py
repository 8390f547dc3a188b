"""Inputs that are broken: each is told in one line that names file, place and cure, with status 2, before any model is loaded."""

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.cli import main as cli

GOOD = "text,label\n" + "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(10))


class Case(NamedTuple):
    """A broken input: its files, the task on it (None: the file `task.yaml`), and what the line must hold."""

    files: dict[str, str | bytes]
    task: str | None
    words: tuple[str, ...]


def squad(**answer):
    qas = [
        {"id": "q1", "question": "Who?", "answers": [{"text": "cat", "answer_start": 4}]},
        {"id": "q2", "question": "Who?"},
    ]
    qas[1]["answers"] = [{"text": "bird", "answer_start": 99, **answer}]
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": "The cat sat.", "qas": qas}]}]})


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, GOOD)
    return file.getvalue()


def tmx(body, head=""):
    return f'<?xml version="1.0"?>\n{head}<tmx version="1.4"><header srclang="en"/><body>\n{body}\n</body></tmx>'


def unit(en="a", de="b"):
    return f'<tu><tuv xml:lang="en"><seg>{en}</seg></tuv><tuv xml:lang="de"><seg>{de}</seg></tuv></tu>'


def yaml(data, family="sentiment", **more):
    return json.dumps({"family": family, "data": data, **more})


TASK = {"format": "csv", "files": "x.csv"}
CSV = "sentiment:x.csv"

CASES = {
    "missing file": Case({}, CSV, ("x.csv", "no such file")),
    "missing file in a task file": Case({"task.yaml": yaml(TASK)}, None, ("x.csv", "no such file")),
    "empty file": Case({"x.csv": ""}, CSV, ("x.csv", "no rows")),
    "header alone": Case({"x.csv": "text,label\n"}, CSV, ("x.csv", "no rows")),
    "folder without data": Case({"x/notes.md": "a"}, "sentiment:x", ("sentiment:x", "no data files", "notes.md")),
    "empty folder": Case({"x/.keep": ""}, "sentiment:x/", ("no data files", "nothing")),
    "two files for one split": Case(
        {f"x/{name}.csv": GOOD for name in ("train", "test", "test-b")}, "sentiment:x",
        ("2 files for test", "test-b.csv", "files: {train: train.csv"),
    ),
    "files of two formats": Case({"x/a.csv": GOOD, "x/b.jsonl": "{}"}, "sentiment:x", ("several formats", "a.csv")),
    "no usual column": Case({"x.csv": "a,b\n1,2\n"}, CSV, ("x.csv", "a (numbers", "--column label=NAME", "bench task new x.csv")),
    "wrong column": Case(
        {"x.csv": GOOD, "task.yaml": yaml(TASK, columns={"text": "txt", "label": "label"})}, None,
        ("x.csv:2", "'txt'", "did you mean 'text'"),
    ),
    "no label column": Case({"x.csv": "text,b\nc,d\n", "task.yaml": yaml(TASK)}, None, ("x.csv:2", "'label'", "columns:")),
    "label missing": Case({"x.csv": GOOD + "more,\n"}, CSV, ("x.csv:12", "no label", "drop the row")),
    "unknown label": Case(
        {"x.csv": GOOD, "task.yaml": yaml(TASK, labels={"bad": "negative"})}, None, ("x.csv:3", "'good'", "labels")
    ),
    "one class": Case({"x.csv": GOOD.replace("bad", "good")}, CSV, ("x.csv", "one class only (good)")),
    "too few rows": Case({"x.csv": "text,label\na,b\n"}, CSV, ("x.csv", "1 rows", "give more rows")),
    "field too many": Case({"x.csv": GOOD + "a,b,good\n"}, CSV, ("x.csv:12", "3 fields", "check delimiter and quoting")),
    "open quote": Case({"x.csv": GOOD + '"open,good\n'}, CSV, ("x.csv:12", "broken CSV", "quoting: none", "bench task new")),
    "column twice": Case({"x.csv": "text,text\na,b\n"}, CSV, ("x.csv:1", "'text' occurs twice", "rename one")),
    "binary garbage": Case({"x.csv": bytes(range(128, 256))}, CSV, ("x.csv:1", "not utf-8-sig text", "encoding")),
    "wrong encoding": Case({"x.csv": (GOOD + "é,good\n").encode("latin-1"), "task.yaml": yaml(TASK)}, None, ("x.csv:12", "encoding", "a guess: cp1252")),
    "UTF-16": Case({"x.csv": GOOD.encode("utf-16"), "task.yaml": yaml(TASK)}, None, ("x.csv:1", "utf-16, by its first bytes")),
    "NUL": Case({"x.csv": GOOD + "a\0b,good\n"}, CSV, ("x.csv:12", "NUL")),
    "cut gzip": Case({"x.csv.gz": gzip.compress(os.urandom(999))[:-99]}, CSV + ".gz", ("x.csv.gz", "gzip", "fetch it again")),
    "cut bzip2": Case({"x.csv.bz2": bz2.compress(GOOD.encode())[:-9]}, CSV + ".bz2", ("x.csv.bz2", "bzip2", "fetch it again")),
    "cut xz": Case({"x.csv.xz": lzma.compress(GOOD.encode())[:-9]}, CSV + ".xz", ("x.csv.xz", "xz", "fetch it again")),
    "broken zstd": Case({"x.csv.zst": b"\x28\xb5\x2f\xfdgarbage"}, CSV + ".zst", ("x.csv.zst", "zstd", "fetch it again")),
    "cut zip": Case({"x.zip": zipped("x.csv")[:-30]}, "sentiment:x.zip!x.csv", ("x.zip", "broken zip", "fetch it again")),
    "zip of two": Case({"x.csv.zip": zipped("a.csv", "b.csv")}, "sentiment:x.csv.zip", ("2 files", "x.csv.zip!a.csv")),
    "no such member": Case({"x.zip": zipped("a.csv")}, "sentiment:x.zip!b.csv", ("x.zip", "'b.csv'", "a.csv")),
    "spreadsheet": Case({"x.csv": zipped("[Content_Types].xml", "b.xml")}, CSV, ("x.csv", "save it as CSV")),
    "cut JSON": Case({"x.json": '[{"text": "a",\n "label": '}, "sentiment:x.json", ("x.json:2", "fetch it again")),
    "JSON of something else": Case({"x.json": '{"rows": 1}'}, "sentiment:x.json", ("x.json", "key")),
    "deep JSON": Case({"x.json": "[" * 99_999}, "sentiment:x.json", ("x.json", "cannot be read")),
    "broken JSON line": Case({"x.jsonl": '{"text": "a", "label": 1}\n{"text"\n'}, "sentiment:x.jsonl", ("x.jsonl:2", "broken JSON")),
    "JSON line without label": Case(
        {"x.jsonl": '{"text": "a", "label": 1}\n{"text": "b"}\n'}, "sentiment:x.jsonl", ("x.jsonl:2", "'label'", "text")
    ),
    "Parquet's mark alone": Case({"x.parquet": b"PAR1"}, "sentiment:x.parquet", ("x.parquet", "Parquet", "fetch it again")),
    "Arrow garbage": Case({"x.arrow": b"ARROW1 no"}, "sentiment:x.arrow", ("x.arrow", "Arrow", "fetch it again")),
    "unknown ending": Case({"x.docx": "a"}, "sentiment:x.docx", ("x.docx", "'.docx'", ".csv", "bench task new")),
    "unknown format": Case({"task.yaml": yaml({**TASK, "format": "cvs"})}, None, ("task.yaml", "'cvs'", "mean 'csv'")),
    "unknown option": Case({"task.yaml": yaml({**TASK, "delimeter": ";"})}, None, ("task.yaml", "mean 'delimiter'")),
    "option of a wrong kind": Case({"task.yaml": yaml({**TASK, "encoding": 5})}, None, ("task.yaml", "encoding", "text")),
    "unknown split": Case(
        {"task.yaml": yaml({**TASK, "files": {"training": "x.csv"}})}, None, ("task.yaml", "'training'", "mean 'train'")
    ),
    "one file for two splits": Case(
        {"x.csv": GOOD, "task.yaml": yaml({**TASK, "files": {"train": "x.csv", "test": "x.csv"}})}, None,
        ("x.csv", "both train and test"),
    ),
    "mixed tagging schemes": Case({"x.conll": "a B-X\n\nb M-X\nc I-X\n"}, "ner:x.conll", ("x.conll:4", "no scheme", "mend")),
    "tag without type": Case({"x.conll": "a B-X\nb B-\n"}, "ner:x.conll", ("x.conll:2", "'B-'", "check the column")),
    "token without tag": Case({"x.conll": "a O\nb\n"}, "ner:x.conll", ("x.conll:2", "1 column", "separator")),
    "words and tags differ": Case(
        {"x.jsonl": '{"tokens": ["a", "b"], "ner_tags": ["O"]}\n'}, "ner:x.jsonl", ("x.jsonl:1", "2 words but 1 tags", "needs one")
    ),
    "mixed schemes in JSON lines": Case(
        {"x.jsonl": '{"tokens": ["a"], "tags": ["M-X"]}\n{"tokens": ["a"], "tags": ["L-X"]}\n'}, "ner:x.jsonl",
        ("x.jsonl:2, token 1", "no scheme"),
    ),
    "answer outside of its context": Case({"x.json": squad()}, "qa:x.json", ("x.json: data[0].paragraphs[0].qas[1]", "'bird' at 99", "UTF-16")),
    "answer without text": Case({"x.json": squad(text="")}, "qa:x.json", ("qas[1].answers[0].text", "must have text")),
    "span outside of its context": Case(
        {"x.csv": 'question,context,answer,span\nWho?,The cat sat.,cat,"(4, 7)"\nWho?,The cat sat.,cat,"(14, 17)"\n'}, "qa:x.csv",
        ("x.csv:3", "(14, 17)", "lies outside"),
    ),
    "no column of answers": Case({"x.csv": "question,context\nWho?,He.\n"}, "qa:x.csv", ("x.csv", "--column answers=NAME", "bench task new")),
    "line counts differ": Case(
        {"x.en": "a\nb\n", "x.de": "a\n"}, "translation:x.en+x.de", ("x.en: 2", "x.de: 1", "fetch them again")
    ),
    "half of a pair": Case({"x.tsv": "a\tb\nc\n"}, "translation:x.tsv", ("x.tsv:2", "1 field", "separator")),
    "broken XML": Case({"x.tmx": tmx(unit() + "\n<tu>")}, "translation:x.tmx", ("x.tmx:5", "broken XML", "mend it")),
    "entities in XML": Case(
        {"x.tmx": tmx(unit("&b;"), '<!DOCTYPE tmx [<!ENTITY b "bb">]>\n')}, "translation:x.tmx", ("x.tmx:2", "entity 'b'")
    ),
    "three languages": Case(
        {"x.tmx": tmx(unit() + unit().replace('"de"', '"fr"'))}, "translation:x.tmx", ("x.tmx", "(en, de, fr)", "source: en")
    ),
    "line without label": Case(
        {"x.label": "DESC:manner How?\nwhat\n"}, "text-classification:x.label", ("x.label:2", "'what'", "pattern")
    ),
    "wrong pattern": Case(
        {"task.yaml": yaml({"format": "labelled", "files": "x.csv", "pattern": "(?P<label>"}), "x.csv": "a b"}, None,
        ("x.csv", "regular expression", "mend it"),
    ),
}  # fmt: skip


def write(folder: Path, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("name", CASES)
def test_a_broken_input_is_one_line_with_file_place_and_cure(name, command, tmp_path, monkeypatch, capsys):
    case = CASES[name]
    write(tmp_path, case.files)
    monkeypatch.chdir(tmp_path)
    # No such model: whatever looks for it before the data are checked is found out.
    words = ["bench", command, "--tasks", case.task or "task.yaml", "--models", "./no-such-model"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert err.startswith("bench: ") and err.count("\n") == 1 and not out
    for word in case.words:
        assert word in err
    assert not (tmp_path / "bench-results").exists()


def test_they_are_told_without_any_of_the_slow_libraries(tmp_path):
    """All of them in one process, as it takes seconds to start one."""
    tasks = []
    for number, case in enumerate(CASES.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, case.files)
        tasks.append([str(folder), case.task or "task.yaml"])
    code = (
        "import json, os, sys\n"
        "from harness.cli.main import main\n"
        "for folder, task in json.load(sys.stdin):\n"
        "    os.chdir(folder)\n"
        "    sys.argv = ['bench', 'run', '--tasks', task, '--models', 'bert']\n"
        "    try:\n        main()\n"
        "    except SystemExit as ended:\n        assert ended.code == 2, (task, ended.code)\n"
        "    else:\n        raise AssertionError(task)\n"
        "heavy = {'torch', 'transformers', 'datasets', 'evaluate', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(tasks), capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == len(CASES)
