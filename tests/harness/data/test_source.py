"""File sources and generated sources."""

import gzip
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from harness.data.source import FileSource, GeneratedSource, HubSource, Source
from harness.errors import BenchError


@pytest.fixture
def folder(tmp_path):
    for name, rows in {"train-1": "a\n", "train-2": "b\n", "dev": "c\n"}.items():
        (tmp_path / f"{name}.csv").write_text(f"text\n{rows}")
    return tmp_path


def test_patterns_lists_and_split_names(folder):
    source = FileSource("csv", {"train": f"{folder}/train-*.csv", "dev": [folder / "dev.csv", folder / "dev.csv"]})
    assert source.read() == {"train": [{"text": "a"}, {"text": "b"}], "validation": [{"text": "c"}]}
    assert source.describe() == "csv: train-1.csv + train-2.csv, dev.csv"
    assert str(folder) not in source.describe()
    assert source.revision is None
    assert source.pinned() is source


def test_a_name_that_looks_like_a_pattern_is_a_name_first(tmp_path):
    (tmp_path / "a[1].csv").write_text("text\nx\n")
    assert FileSource("csv", {"all": tmp_path / "a[1].csv"}).read() == {"all": [{"text": "x"}]}


def test_files_by_column(folder):
    (folder / "a.en").write_text("one\n")
    (folder / "a.de").write_text("eins\n")
    source = FileSource("lines", {"all": {"source": str(folder / "a.en"), "target": str(folder / "a.de")}})
    report = {}
    assert source.read(report) == {"all": [{"source": "one", "target": "eins"}]}
    assert report == {"all": {"empty": 0}}
    assert source.describe() == "lines: a.en + a.de"


def test_the_report_says_what_the_reader_found(folder):
    (folder / "x.conll").write_text("a I-X\n")
    report = {}
    FileSource("conll", {"all": folder / "x.conll"}).read(report)
    assert report["all"]["scheme"] == "io"


def test_the_fingerprint_follows_content_format_options_and_splits(folder):
    def mark(format="csv", files=None, **options):
        return FileSource(format, files or {"all": folder / "dev.csv"}, options).fingerprint()

    first = mark()
    assert len(first) == 64
    others = [mark("tsv"), mark(header=False), mark(files={"train": folder / "dev.csv"})]
    others += [mark(files={"all": folder / "train-1.csv"}), mark(files={"all": str(folder / "*.csv")})]
    assert len({first, *others}) == 6
    (folder / "moved.csv.gz").write_bytes(gzip.compress((folder / "dev.csv").read_bytes()))
    assert mark(files={"all": folder / "moved.csv.gz"}) == first
    (folder / "dev.csv").write_text("text\nC\n")
    assert mark() != first


@pytest.mark.parametrize(
    ("format", "files", "options", "words"),
    [
        ("exel", {"all": "x"}, {}, "unknown file format 'exel'"),
        ("csv", {"all": "x"}, {"headers": True}, "unknown option of format csv: 'headers'; did you mean 'header'"),
        ("csv", {}, {}, "no files are named"),
        ("csv", {"all": [{"a": "x"}]}, {}, "files of all: .* is neither a path nor a list of paths"),
        ("lines", {"all": {"source": 5}}, {}, "files of all: 5 is neither a path"),
        ("csv", {"training": "x"}, {}, "unknown split 'training'; did you mean 'train'"),
        ("csv", {"dev": "x", "validation": "y"}, {}, "two names for one split"),
    ],
)
def test_wrong_arguments_fail_before_any_file_is_opened(format, files, options, words):
    with pytest.raises(BenchError, match=words):
        FileSource(format, files, options)


def test_files_that_cannot_be_used(folder):
    with pytest.raises(BenchError, match=r"nothing\.csv: no such file"):
        FileSource("csv", {"all": folder / "nothing.csv"}).read()
    with pytest.raises(BenchError, match=r"a folder without data of format jsonl .*there is dev\.csv, train-1"):
        FileSource("jsonl", {"all": folder}).read()
    with pytest.raises(BenchError, match="a folder; name the files in it"):
        FileSource("lines", {"all": {"source": folder, "target": folder}}).read()
    with pytest.raises(BenchError, match="used for both train and test"):
        FileSource("csv", {"train": folder / "dev.csv", "test": str(folder / "d*.csv")}).read()
    (folder / "empty.csv").write_text("text\n\n")
    with pytest.raises(BenchError, match=r"split all has no rows.*empty\.csv"):
        FileSource("csv", {"all": folder / "empty.csv"}).read()


def rows():
    return {"train": [{"text": "ä", "label": 1}], "dev": []}


def other_rows():
    return {"train": [{"text": "ä", "label": "1"}], "dev": []}


def test_generated_rows():
    source = GeneratedSource(rows, "letters")
    assert source.read() == {"train": [{"text": "ä", "label": 1}], "validation": []}
    assert source.fingerprint() == GeneratedSource(rows, "another name").fingerprint()
    assert source.fingerprint() != GeneratedSource(other_rows, "letters").fingerprint()
    assert source.describe() == "generated: letters"


SOURCES = [
    FileSource("csv", {"all": "x.csv"}, {"header": False}),
    GeneratedSource(rows, "letters"),
    HubSource("stanfordnlp/sst2", config="default", splits={"test": "validation"}),
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_every_source_keeps_the_protocol_and_can_be_sent_to_a_worker(source):
    assert isinstance(source, Source)
    assert pickle.loads(pickle.dumps(source)) == source
    with pytest.raises(AttributeError):
        source.revision = "v1"


def test_the_module_imports_no_heavy_library():
    """The command line imports this; it may not drag the heavy libraries in."""
    code = (
        "import sys, harness.data.source, harness.data.columns; "
        "print(*{'torch', 'datasets', 'huggingface_hub', 'pandas', 'numpy'} & set(sys.modules))"
    )
    root = Path(__file__).parents[3]
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert result.stdout.strip() == ""
