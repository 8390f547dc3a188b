"""docs/tasks.md holds: every task file, every `data:` and every quick reference in it can be read."""

import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest
import yaml

from harness import registry
from harness.check.report import validate
from harness.data.source import FileSource
from harness.planning.quick import quick_task
from harness.planning.taskfile import read_task

PAGE = (Path(__file__).parents[1] / "docs/tasks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TASKS = [block for block in BLOCKS if "family:" in block]
DATA = [line for block in BLOCKS if "family:" not in block for line in block.splitlines()]
QUICK = re.findall(r"--tasks '?([\w-]+):(\S+?)'?$", PAGE, re.MULTILINE)

TWEETS = "date,tweet,airline_sentiment\n" + "".join(f"today,text {n},{n % 3 - 1}\n" for n in range(12))
TABLE = "text,label\n" + "".join(f"text {n},{n % 2}\n" for n in range(12))
LINES = "".join(json.dumps({"text": f"text {n}", "label": n % 2}) + "\n" for n in range(12))
REVIEWS = "question,review,human_ans_spans,human_ans_indices,q_review_id\n" + "".join(
    f'Who?,The cat {n}. ANSWERNOTFOUND,cat,"(4, 7)",{n}\n' for n in range(6)
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    text = {
        "reviews.csv": TABLE, "all.csv": TABLE, "a.jsonl": LINES, "b.jsonl": LINES, "train.en": "a\n" * 9, "train.de": "b\n" * 9,
        "t.en": "a\n", "t.de": "b\n", "names/train.conll": "a B-X\n", "names/dev.conll": "a B-X\n", "names/test.conll": "a B-X\n",
        "questions.label": "DESC:manner How ?\nNUM:date When ?\n" * 9,
        "references.csv": "english,german_1,german_2\n" + "a,b,c\n" * 9,
        "ner_dataset.csv": "Sentence #,Word,POS,Tag\n" + "".join(f"Sentence: {n},Bonn,NN,B-geo\n,lies,VB,O\n" for n in range(9)),
        "squad.json": json.dumps({"data": [{"title": str(n), "paragraphs": [{"context": "The cat.", "qas": [
            {"id": str(n), "question": "Who?", "answers": [{"text": "cat", "answer_start": 4}]}]}]} for n in range(6)]}),
    }  # fmt: skip
    text |= {name: TABLE.replace(",", "\t") for name in ("train.tsv", "dev.tsv", "test.tsv")}
    for name, content in text.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content)
    for name in ("train_5500.label", "TREC_10.label"):
        Path(name).write_bytes("DESC:manner Café ?\nNUM:date When ?\n".encode("latin-1") * 9)
    for name in ("test-1.jsonl.gz", "parts-1.jsonl.gz", "parts-2.jsonl.gz"):
        Path(name).write_bytes(gzip.compress(LINES.encode()))
    for name in ("all.zip", "reviews.zip"):
        with zipfile.ZipFile(name, "w") as archive:
            for member in ("train.csv", "test.csv"):
                archive.writestr(member, TABLE)
    import pyarrow
    from pyarrow import parquet

    Path("parquet").mkdir()
    for name in ("train", "test"):
        parquet.write_table(pyarrow.Table.from_pylist([{"text": "a", "label": 1}]), f"parquet/{name}.parquet")
    return tmp_path


def test_the_page_has_examples():
    assert len(TASKS) >= 4 and len(DATA) >= 7 and len(QUICK) >= 7


@pytest.mark.parametrize("block", TASKS)
def test_task_files(block, folder):
    for name in ("train.csv", "dev.csv", "test.csv"):
        Path(name).write_text(REVIEWS if "spans" in block else TWEETS)
    task = read_task(yaml.safe_load(block), folder / "x.yaml")
    assert validate(task).startswith("rows: train ")


@pytest.mark.parametrize("line", DATA)
def test_data(line, folder):
    task = read_task({"family": "sentiment", **yaml.safe_load(line)}, folder / "x.yaml")
    if isinstance(task.source, FileSource):
        assert all(task.source.read().values())


@pytest.mark.parametrize(("family", "path"), QUICK)
def test_quick_references(family, path, folder):
    assert validate(quick_task(registry.family(family), path)).startswith("rows: train ")
