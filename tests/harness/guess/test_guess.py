"""Files of unknown make: format, delimiter, header and encoding are told from what is in them."""

import gzip
import json

import pytest

from harness.errors import BenchError
from harness.scaffold.files import find, split_of
from harness.scaffold.new import from_data
from harness.scaffold.sniff import sniff

TABLE = [("text", "label"), *((f"number {number}, is it so", "ab"[number % 2]) for number in range(20))]


def table(mark, header=True):
    return "\n".join(mark.join(f'"{field}"' for field in row) for row in TABLE[not header :]) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "kind", "options"),
    [
        ("a.csv", table(","), "csv", {}),
        ("a.csv", table(";"), "csv", {"delimiter": ";"}),
        ("a.csv", table(",", header=False), "csv", {"header": False}),
        ("a.txt", table("\t"), "tsv", {}),
        ("a.csv", 'sentence,stars\n"So, so",1\nFine,5\n', "csv", {}),
        ("a.json", '[{"text": "x", "label": "y"}]', "json", {}),
        ("a.json", '{"text": "x"}\n{"text": "y"}\n', "jsonl", {}),
        ("a.txt", '{"text": "x"}\n{"text": "y"}\n', "jsonl", {}),
        ("a.json", '{"data": [{"paragraphs": []}]}', "squad", {}),
        ("a.txt", "EU B-ORG\nrejects O\n\nBonn B-LOC\n", "conll", {}),
        ("a.tsv", "EU\tB-ORG\nrejects\tO\n\nBonn\tB-LOC\n", "conll", {}),
        ("a.csv", "text,label\n好的，很好,1\n不好，很差,0\n".encode("gb18030"), "csv", {"encoding": "gb18030"}),
        ("a.csv", "text,label\ncafé très bon,1\nmauvais goût,0\n".encode("cp1252"), "csv", {"encoding": "cp1252"}),
        ("a.csv", "text,label\nfine,1\n".encode("utf-16"), "csv", {"encoding": "utf-16"}),
        ("a.csv.gz", gzip.compress(table(",").encode()), "csv", {}),
    ],
)  # fmt: skip
def test_sniff(tmp_path, name, content, kind, options):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    found = sniff(tmp_path / name)
    assert (found.format, dict(found.options)) == (kind, options)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.tsv", "train"),
        ("en_dev.csv", "validation"),
        ("test-labeled.tsv", "test"),
        ("contest.csv", None),
        ("trainer.csv", None),
    ],
)
def test_split_of_a_name(tmp_path, name, split):
    assert split_of(tmp_path / name) == split


def test_a_folder_of_shards_and_others(tmp_path):
    for name in ("train-0.csv", "train-1.csv", "valid.csv", "test.csv"):
        (tmp_path / name).write_text(table(","))
    (tmp_path / "test_blind.csv").write_text("id,text\n1,x\n")
    (tmp_path / "README.txt").write_text("hello")
    found = find(tmp_path)
    assert {split: [file.name for file in files] for split, files in found.files.items()} == {
        "train": ["train-0.csv", "train-1.csv"], "validation": ["valid.csv"], "test": ["test.csv"],
    }  # fmt: skip
    assert len(found.rows) == 40 and found.left == ("test_blind.csv: other columns than train-0.csv",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no data file in the folder"),
        ({"one.csv": table(","), "two.csv": table(",")}, "None is called train; give one of: one.csv, two.csv"),
        ({"a.csv": ""}, "the file is empty"),
        ({"a.json": '{"text": '}, "broken JSON"),
        ({"a.csv": "x,y\n1,2\n3,4\n"}, "its columns .* are not those of"),
    ],
)
def test_what_cannot_be_understood_is_said(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(BenchError, match=words):
        from_data(tmp_path, None, None)


def test_pairs_rated_texts_and_topics(tmp_path):
    def family(columns, make):
        lines = [json.dumps(dict(zip(columns, make(number), strict=True))) for number in range(40)]
        (tmp_path / "x.jsonl").write_text("\n".join(lines))
        text, _ = from_data(tmp_path / "x.jsonl", None, None)
        return next(line for line in text.splitlines() if line.startswith("family: ")).split()[1]

    assert family(("premise", "hypothesis", "label"), lambda n: (f"a {n}", f"b {n}", n % 3)) == "text-classification"
    assert family(("review", "stars"), lambda n: (f"a {n}", n % 7)) == "sentiment"
    assert family(("text", "label"), lambda n: (f"a {n}", ("positive", "negative")[n % 2])) == "sentiment"
    assert family(("text", "label"), lambda n: (f"a {n}", ("sports", "law")[n % 2])) == "text-classification"
    assert family(("fr", "en"), lambda n: (f"a {n}", f"b {n}")) == "translation"
    assert family(("tokens", "ner_tags"), lambda n: (["a", "b"], ["O", "B-X"])) == "ner"
