"""Which files of a folder are data, and of which split."""

from pathlib import Path

import pytest

from harness.data.folder import by_split, endings, files_in, formats, of_format, split_of
from harness.data.source import FileSource
from harness.errors import BenchError


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("a.csv", ("csv",)),
        ("a.CSV.gz", ("csv",)),
        ("train.char.bmes", ("conll",)),
        ("wikigold.conll.txt", ("conll",)),
        ("a.txt", ("conll", "pairs", "labelled")),
        ("xquad.en.json", ("json", "jsonl", "squad")),
        ("x.zip!b.tsv.xz", ("tsv", "pairs", "conll")),
        ("a.docx", ()),
        ("train", ()),
    ],
)
def test_formats_by_endings(name, kinds):
    assert formats(Path(name)) == kinds


def test_the_ending_of_a_compression_is_ignored():
    assert endings(Path("a.char.bmes.gz")) == [".bmes", ".char"]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.tsv", "train"),
        ("DRCD_dev.json", "validation"),
        ("test_2016_flickr.en", "test"),
        ("train-00000-of-00001.parquet", "train"),
        ("val/0.csv", "validation"),
        ("x.zip!val/0.csv", "validation"),
        ("test_data/a.csv", None),
        ("x.zip!test.csv", "test"),
        ("training.csv", None),
        ("latest.csv", None),
        ("all.csv", None),
    ],
)
def test_splits_by_names(name, split):
    assert split_of(Path(name)) == split


def names(paths):
    return {
        split: [path.name for path in same] for split, same in by_split([Path(path) for path in paths], "x").items()
    }


def test_by_split():
    assert names(["b.csv"]) == {"all": ["b.csv"]}
    assert names(["test.csv"]) == {"all": ["test.csv"]}
    assert names(["a.csv", "b.csv"]) == {"all": ["a.csv", "b.csv"]}
    assert names(["dev.csv", "test.csv"]) == {"train": ["dev.csv"], "test": ["test.csv"]}
    shards = ["train-0-of-2.csv", "train-1-of-2.csv", "valid.csv"]
    assert names(shards) == {"train": shards[:2], "validation": ["valid.csv"]}


def test_ambiguous_file_names_are_an_error():
    with pytest.raises(
        BenchError, match=r"2 files for test \(test-b.csv, test.csv\); name .*files: {train: train.csv, test"
    ):
        names(["test-b.csv", "test.csv", "train.csv"])
    with pytest.raises(BenchError, match=r"x: extra.csv: of which split, by its name\?"):
        names(["extra.csv", "train.csv"])


@pytest.fixture
def folder(tmp_path):
    for name in ("train.csv", "test.csv", "README.csv", "classes.txt", ".hidden.csv", "deep/dev.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"text\n{name}\n")
    return tmp_path


def test_files_in_a_folder(folder):
    assert [path.name for path in files_in(folder)] == ["test.csv", "train.csv"]
    assert [path.name for path in of_format(folder, "csv")] == ["test.csv", "train.csv"]
    for path in folder.glob("*.csv"):
        path.unlink()
    assert [path.name for path in files_in(folder)] == ["dev.csv"]


def test_a_folder_is_a_source(folder):
    source = FileSource("csv", {"all": folder})
    assert source.read() == {"train": [{"text": "train.csv"}], "test": [{"text": "test.csv"}]}
    assert source.describe() == "csv: train.csv, test.csv"
    first = source.fingerprint()
    assert FileSource("csv", {"train": folder / "train.csv", "test": folder / "test.csv"}).fingerprint() == first
    (folder / "dev.csv").write_text("text\nnew\n")
    assert source.fingerprint() != first


def test_a_folder_for_one_split(folder):
    assert FileSource("csv", {"train": folder / "deep"}).read() == {"train": [{"text": "deep/dev.csv"}]}
