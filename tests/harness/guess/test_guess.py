"""Files of unknown origin: format, delimiter, header and encoding are recognised from their contents."""

import gzip
import json
from pathlib import Path

import pytest

from harness import registry
from harness.check.report import validate
from harness.data.folder import split_of
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.guess.guess import guess
from harness.guess.sniff import sniff
from harness.planning.quick import quick_task
from harness.planning.taskfile import load_task
from harness.scaffold.new import from_data

TABLE = [("text", "label"), *((f"number {number}, is it so", "ab"[number % 2]) for number in range(20))]


def table(mark, header=True):
    return "\n".join(mark.join(f'"{field}"' for field in row) for row in TABLE[not header :]) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "kind", "options"),
    [
        ("a.csv", table(","), "csv", {}),
        ("a.csv", table(";"), "csv", {}),
        ("a.csv", table("|"), "csv", {}),
        ("a.csv", table(";", header=False), "csv", {"header": False}),
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
        ("a.txt", "__label__a __label__b one text, and more\n__label__a another, too\n", "labelled", {}),
        ("a.csv.gz", gzip.compress(table(",").encode()), "csv", {}),
    ],
)  # fmt: skip
def test_sniff(tmp_path, name, content, kind, options):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    sniffed = sniff(tmp_path / name)[0]
    assert (sniffed.format, dict(sniffed.options)) == (kind, options)
    if kind in ("csv", "tsv") and "text" in str(content):
        assert sniffed.read([str(tmp_path / name)], {})[0].keys() == {"text", "label"}


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
def test_split_of_file_name(tmp_path, name, split):
    assert split_of(tmp_path / name) == split


def test_folder_with_shards_and_other_files(tmp_path):
    for name in ("train-0.csv", "train-1.csv", "valid.csv", "test.csv"):
        (tmp_path / name).write_text(table(","))
    (tmp_path / "test_blind.csv").write_text("id,text\n1,x\n")
    (tmp_path / "README.txt").write_text("hello")
    left = []
    best, *_ = guess(str(tmp_path), list(registry.families().values()), "x", left)
    assert {split: [Path(file).name for file in files] for split, files in best.task.source.files.items()} == {
        "train": ["train-0.csv", "train-1.csv"], "validation": ["valid.csv"], "test": ["test.csv"],
    }  # fmt: skip
    assert len(best.rows) == 40 and left == ["test_blind.csv: other columns than train-0.csv"]
    with pytest.raises(BenchError, match=r"x: 2 files for test \(test.csv, test_blind.csv\)"):
        guess(str(tmp_path), [registry.family("sentiment")], "x")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no data files of a known ending in it; there is nothing"),
        ({"a.docx": "a"}, "no data files of a known ending in it; there is a.docx"),
        ({"a.csv": ""}, "split all has no rows: nothing but blank lines in a.csv"),
        ({"a.csv": "text,label\n"}, "split all has no rows: .* in a.csv, or a header at most"),
        ({"a.json": '{"text": '}, "broken JSON"),
    ],
)
def test_errors(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(BenchError, match=words):
        from_data(str(tmp_path), None, None)


def test_pairs_rated_texts_and_topics(tmp_path):
    def family(columns, make):
        lines = [json.dumps(dict(zip(columns, make(number), strict=True))) for number in range(40)]
        (tmp_path / "x.jsonl").write_text("\n".join(lines))
        text, *_ = from_data(str(tmp_path / "x.jsonl"), None, None)
        return next(line for line in text.splitlines() if line.startswith("family: ")).split()[1]

    assert family(("premise", "hypothesis", "label"), lambda n: (f"a {n}", f"b {n}", n % 3)) == "text-classification"
    assert family(("review", "stars"), lambda n: (f"a {n}", n % 7)) == "sentiment"
    assert family(("text", "label"), lambda n: (f"a {n}", ("positive", "negative")[n % 2])) == "sentiment"
    assert family(("text", "label"), lambda n: (f"a {n}", ("sports", "law")[n % 2])) == "text-classification"
    assert family(("fr", "en"), lambda n: (f"a {n}", f"b {n}")) == "translation"
    assert family(("tokens", "ner_tags"), lambda n: (["a", "b"], ["O", "B-X"])) == "ner"


UNIT = '<tu><tuv xml:lang="en-GB"><seg>a {0}</seg></tuv><tuv xml:lang="de"><seg>b {0}</seg></tuv></tu>'
QA = "question,passage,answer\n" + "".join(f"Who?,The cat sat {n}.,cat\n" for n in range(20))
FORMS = {
    "pairs.tsv": ("".join(f"Go {n}.\tGeh {n}.\tby {n}\n" for n in range(20)), "translation", "pairs"),
    "pairs.txt": ("".join(f"Go {n}.\tGeh {n}.\n" for n in range(20)), "translation", "pairs"),
    "x.tmx": (f'<tmx><header srclang="en"/><body>{"".join(map(UNIT.format, range(9)))}</body></tmx>', "translation", "tmx"),
    "x.label": ("DESC:manner How ?\nNUM:date When ?\n" * 9, "text-classification", "labelled"),
    "x.txt": ("__label__DESC How ?\n__label__NUM When ?\n" * 9, "text-classification", "labelled"),
    "sms.txt": ("".join(f"{'ham' if n % 3 else 'spam'}\tHow are you {n} ?\n" for n in range(30)), "text-classification", "tsv"),
    "flat.csv": (QA, "qa", "spans"),
    "names.txt": ("EU B-ORG\nrejects O\n\nBonn B-LOC\n\n" * 9, "ner", "conll"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_task_new_and_quick_task_agree(name, tmp_path):
    """`bench task new` finds the family; the file that it writes means what `family:path` means."""
    content, family, format = FORMS[name]
    (tmp_path / name).write_text(content)
    text, path, _ = from_data(str(tmp_path / name), None, tmp_path / "made.yaml")
    path.write_text(text)
    task, quick = load_task(path), quick_task(registry.family(family), str(tmp_path / name))
    assert (task.family, task.source.format) == (family, format)
    assert task.source.read() == quick.source.read() and task.source.options == quick.source.options
    assert task.options == quick.options and {k: str(v) for k, v in task.columns.items()} == quick.columns
    assert validate(task).startswith("rows: train")


def test_table_written_by_datasets(tmp_path):
    import pyarrow
    from pyarrow import parquet

    rows = [{"sentence": f"it is {n}", "label": n % 2} for n in range(20)]
    for split in ("train", "test"):
        parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / f"{split}-00000-of-00001.parquet")
    (best, *others) = guess(str(tmp_path), list(registry.families().values()), "x", [])
    assert list(best.task.source.files) == ["train", "test"] and best.task.source.format == "parquet"
    assert best.task.family == "sentiment" and {other.task.family for other in others} >= {"text-classification"}


@pytest.mark.parametrize(
    ("content", "encoding"),
    [("好的，很好", "gb18030"), ("café très bon", "cp1252"), ("fine", "utf-16"), ("fine; café", "utf-8")],
)
def test_quick_task_reports_the_encoding(content, encoding, tmp_path):
    text = "review,stars\n" + "".join(f"{content},{n % 5}\n" for n in range(20))
    (tmp_path / "x.csv").write_bytes(text.encode(encoding))
    task = quick_task(registry.family("sentiment"), str(tmp_path / "x.csv"))
    assert task.source.read()["all"][0]["review"] == content
    assert (f"encoding '{encoding}'" in task.description) == (encoding != "utf-8")


def test_parallel_files(tmp_path):
    """Of any columns; the family is told by what is in them."""
    (tmp_path / "texts.txt").write_text("".join(f"this is number {n}\n" for n in range(20)))
    (tmp_path / "labels.txt").write_text("sports\nlaw\n" * 10)
    for code in ("fr", "ro"):
        (tmp_path / f"train.{code}").write_text("".join(f"{code} {n}\n" for n in range(20)))
    best, *_ = guess(f"{tmp_path}/texts.txt+labels.txt", list(registry.families().values()), "x")
    assert best.task.family == "text-classification" and best.rows[1] == {"text": "this is number 1", "label": "law"}
    guesses = guess(str(tmp_path), list(registry.families().values()), "x")
    assert [(one.task.family, dict(one.task.columns)) for one in guesses] == [
        ("translation", {"source": "fr", "target": "ro"})
    ]
    assert guesses[0].task.options == {"source_language": "fr", "target_language": "ro"}
    with pytest.raises(BenchError, match=r"x: 3 files joined by \+; it takes 2: text, label"):
        guess(f"{tmp_path}/texts.txt+labels.txt+train.fr", [registry.family("sentiment")], "x")


class Dogs(TaskFamily):
    """A third party's family that says nothing of its data."""

    name, columns, usual_names = "dogs", {"picture": "words", "dogs": "their number"}, {"dogs": ("hounds",)}
    example = reference = score = trivial = None


def test_plugin_family_needs_no_method(tmp_path):
    (tmp_path / "x.csv").write_text("Picture,Hounds\na,1\nb,2\n")
    guesses = guess(str(tmp_path / "x.csv"), [*registry.families().values(), Dogs()], "x")
    assert [(one.task.family, dict(one.task.columns)) for one in guesses] == [
        ("dogs", {"picture": "Picture", "dogs": "Hounds"})
    ]
    (tmp_path / "x.conll").write_text("a O\n")
    with pytest.raises(BenchError, match=r"the ending '.conll' stands for conll, where there is no picture or dogs"):
        guess(str(tmp_path / "x.conll"), [Dogs()], "x")


def test_missing_label_does_not_hide_the_column(tmp_path):
    """It is for the check to tell, with its line."""
    rows = "".join(f"number {n},{'ab'[n % 2]}\n" for n in range(20))
    (tmp_path / "x.csv").write_text(f"text,label\n{rows}the last,\n")
    guesses = guess(str(tmp_path / "x.csv"), list(registry.families().values()), "x", [])
    assert [one.task.family for one in guesses] == ["text-classification"]
    with pytest.raises(BenchError, match=r"x.csv:22: no label"):
        validate(guesses[0].task)


def test_error_of_one_family_does_not_stop_another(tmp_path):
    rows = "".join(f"Who is {n}?,The cat sat {n}.,bird,{'ab'[n % 2]}\n" for n in range(20))
    (tmp_path / "x.csv").write_text(f"question,context,answer,label\n{rows}")
    best, *_ = guess(str(tmp_path / "x.csv"), list(registry.families().values()), "x")
    assert best.task.family == "text-classification"
    with pytest.raises(BenchError, match=r"20 of 20 answers cannot be found .*x.csv:2: 'bird'"):
        guess(str(tmp_path / "x.csv"), [registry.family("qa")], "x")


def written(folder, path, family):
    """The task file for a path as it is read again, and what is left to do."""
    text, output, todo = from_data(str(path), family, folder / "new.yaml")
    output.write_text(text, encoding="utf-8")
    return load_task(output), todo


def test_task_file_quotes_a_language_that_yaml_reads_as_false(tmp_path):
    for language in ("en", "no"):
        (tmp_path / f"train.{language}").write_text("".join(f"{language} number {n}\n" for n in range(20)))
    task, _ = written(tmp_path, f"{tmp_path}/train.en+train.no", "translation")
    assert validate(task).startswith("rows: train 12")


def test_task_file_has_labels_in_both_spellings(tmp_path):
    for name, labels in (("train", ("00", "01")), ("test", "01")):
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "".join(f"{name} text number {n},{labels[n % 2]}\n" for n in range(20)))
    task, todo = written(tmp_path, tmp_path, "sentiment")
    assert task.labels == {"00": "00", "01": "01", "0": "00", "1": "01"} and not todo
    assert "2 labels: 00, 01" in validate(task)


def test_names_a_column_that_was_not_filled_in(tmp_path):
    (tmp_path / "a.csv").write_text("en,no\n" + "".join(f"one {n},en {n}\n" for n in range(20)))
    task, todo = written(tmp_path, tmp_path / "a.csv", "sentiment")
    assert "fill in COLUMN" in todo
    with pytest.raises(BenchError, match="columns: text and label: COLUMN stands for a column to be filled in"):
        validate(task)
