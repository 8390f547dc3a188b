"""Archives and compressed files: nothing leaves its folder, nothing fills memory or disk, and each is told in one line."""

import gzip
import io
import os
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.cli import main as cli
from harness.data import compressed
from harness.data.file_layer import read_bytes
from harness.data.source import FileSource
from harness.errors import BenchError

GOOD = "text,label\n" + "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(10))


def archive(path, *names, mode=None, good="x.csv"):
    """A zip archive of a good file and others, which may be called anything or be links or devices."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(good, GOOD)
        for name in names:
            info = zipfile.ZipInfo(name)
            info.filename = name  # the class would mend some of them
            info.create_system, info.external_attr = 3, (mode or stat.S_IFREG | 0o644) << 16
            made.writestr(info, GOOD)
    return path


@pytest.fixture
def line(monkeypatch, capsys, tmp_path):
    """line(words…) -> what a command that ends with status 2 says; nothing is written anywhere."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        before = sorted(tmp_path.parent.rglob("*"))
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert ended.value.code == 2 and err.startswith("bench: ") and err.count("\n") == 1 and not out, err
        assert sorted(tmp_path.parent.rglob("*")) == before
        return err

    return run


@pytest.mark.parametrize(
    "name",
    [
        "../y.csv",
        "data/../../y.csv",
        "/tmp/y.csv",
        "..\\y.csv",
        "C:\\y.csv",
        "c:y.csv",
        "\\\\host\\y.csv",
        "../../.bashrc",
    ],
)
@pytest.mark.parametrize("reference", ["sentiment:x.zip", "sentiment:x.zip!x.csv"])
def test_names_that_leave_the_archive(name, reference, line, tmp_path):
    archive(tmp_path / "x.zip", name)
    said = line("plan", "--tasks", reference, "--models", "./no-such-model")
    assert "x.zip" in said and "leads out of the archive's folder, so the archive is not read" in said


@pytest.mark.parametrize(
    "mode",
    [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK],
    ids="link char block pipe socket".split(),
)
def test_links_and_devices(mode, line, tmp_path):
    archive(tmp_path / "x.zip", "y.csv", mode=mode | 0o777)
    said = line("plan", "--tasks", "sentiment:x.zip!y.csv", "--models", "./no-such-model")
    assert "'y.csv' is a link or a device, not a file" in said


def test_an_honest_archive_is_read(tmp_path):
    path = archive(tmp_path / "x.zip", "data/..notes/y..csv", "it's 10:30.txt", good="data/train.csv")
    assert read_bytes(f"{path}!data/train.csv") == GOOD.encode()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_archive_is_told_to_be_one(mode, line, tmp_path):
    (tmp_path / "y.csv").write_text(GOOD)
    with tarfile.open(tmp_path / "x.csv", mode) as made:
        made.add(tmp_path / "y.csv", "../../y.csv")
    said = line("plan", "--tasks", "sentiment:x.csv", "--models", "./no-such-model")
    assert "x.csv: a tar archive, which is not read; unpack it" in said


def test_bombs_are_one_line(line, tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "SMALL", 10_000)
    zeros = bytes(1_000_000)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(zeros))
    (tmp_path / "twice.csv.gz").write_bytes(gzip.compress(gzip.compress(zeros)))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("x.csv", zeros)
        made.writestr("y.csv", zeros)
    lying = bytearray((tmp_path / "x.zip").read_bytes())
    place = lying.index(b"PK\x01\x02") + 24  # the unpacked size in the archive's directory
    lying[place : place + 4] = (100).to_bytes(4, "little")
    (tmp_path / "lying.zip").write_bytes(lying)
    for name in ("x.csv.gz", "x.zip!x.csv"):
        assert "unpacks to more than" in line("plan", "--tasks", f"sentiment:{name}", "--models", "./no-such-model")
    # What says less than it holds is cut or broken, and what is packed twice is not data.
    assert "broken zip archive" in line("plan", "--tasks", "sentiment:lying.zip!x.csv", "--models", "./no-such-model")
    assert len(read_bytes(tmp_path / "twice.csv.gz")) < 10_000


@pytest.mark.parametrize("member", ["", "!x.csv"])
def test_an_archive_packed_in_another_way_is_not_said_to_have_a_password(member, line, tmp_path):
    """Deflate64, as other programs write it; and a version of the format that Python does not know."""
    made = bytearray(archive(tmp_path / "x.zip").read_bytes())
    local, central = made.index(b"PK\x03\x04"), made.index(b"PK\x01\x02")
    for place in (local + 8, central + 10):
        made[place : place + 2] = (9).to_bytes(2, "little")
    (tmp_path / "x.zip").write_bytes(made)
    made[central + 6] = 99  # the version that is needed to unpack it
    (tmp_path / "y.zip").write_bytes(made)
    for name in ("x.zip", "y.zip"):
        said = line("plan", "--tasks", f"sentiment:{name}{member}", "--models", "./no-such-model")
        assert f"{name}: packed in a way that is not read (" in said


@pytest.mark.parametrize("name", ["data.pkl", "data.npz", "data.npy", "data.pickle", "data.pt", "data.joblib"])
def test_files_of_pickles_are_no_data(name, line, tmp_path):
    (tmp_path / name).write_bytes(b"\x80\x04K\x01.")
    assert repr(Path(name).suffix) in line("plan", "--tasks", f"sentiment:{name}", "--models", "./no-such-model")


@pytest.mark.parametrize(
    "format", ["csv", "tsv", "jsonl", "json", "parquet", "arrow", "labelled", "conll", "squad", "spans", "pairs", "tmx"]
)
def test_no_reader_unpickles(format, tmp_path, monkeypatch):
    """Nor does any of them a table whose columns are objects of Python."""
    import pickle

    import hostile
    import pyarrow

    content = hostile.pickled(tmp_path / "was-run")
    monkeypatch.setattr(pickle, "loads", None)
    monkeypatch.setattr(pickle, "load", None)
    files = [content]
    if format in ("parquet", "arrow"):
        import pyarrow.parquet

        table = pyarrow.table({"text": ["a"], "label": [content]}).replace_schema_metadata(
            {b"pandas": content, b"huggingface": content}
        )
        sink = io.BytesIO()
        if format == "parquet":
            pyarrow.parquet.write_table(table, sink)
        else:
            with pyarrow.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        files.append(sink.getvalue())
    for number, data in enumerate(files):
        (tmp_path / "x").write_bytes(data)
        source = FileSource(format, {"all": str(tmp_path / "x")})
        if number:
            assert source.read()["all"][0]["label"] == content  # bytes, as they are
        else:
            with pytest.raises(BenchError):
                source.read()
    assert not (tmp_path / "was-run").exists()


def test_data_paths_are_relative_to_the_task_file_or_absolute(tmp_path, monkeypatch):
    """The rule of docs/safety.md: the person's own files may lie anywhere, and the current folder decides nothing."""
    from harness.planning.taskfile import read_task

    (tmp_path / "tasks").mkdir()
    (tmp_path / "elsewhere").mkdir()
    for place in ("x.csv", "tasks/x.csv", "elsewhere/x.csv"):
        (tmp_path / place).write_text(GOOD.replace("text 0", place))
    monkeypatch.chdir(tmp_path / "elsewhere")

    def first(name):
        content = {"family": "sentiment", "data": {"format": "csv", "files": name}}
        return read_task(content, Path(os.path.relpath(tmp_path / "tasks" / "task.yaml"))).source.read()["all"][0][
            "text"
        ]

    assert first("x.csv") == "tasks/x.csv"
    assert first("../x.csv") == "x.csv"
    assert first(str(tmp_path / "elsewhere/x.csv")) == "elsewhere/x.csv"


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_a_small_table_cannot_fill_the_memory(format, tmp_path, monkeypatch):
    """Parquet and Arrow hold a value that is repeated once."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"text": ["a" * 1000] * 20_000, "label": ["b"] * 20_000})
    if format == "parquet":
        pyarrow.parquet.write_table(table, tmp_path / "x")
    else:
        options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
        with pyarrow.ipc.new_file(tmp_path / "x", table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=1000)
    source = FileSource(format, {"all": str(tmp_path / "x")})
    assert (tmp_path / "x").stat().st_size < 200_000 and len(source.read()["all"]) == 20_000
    monkeypatch.setattr(compressed, "SMALL", 2**20)
    monkeypatch.setattr(compressed, "RATIO", 10)
    with pytest.raises(BenchError, match=r"x: unpacks to more than \d+ MiB; cut it into several files"):
        source.read()
