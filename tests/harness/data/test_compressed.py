"""Compressed files and archives."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from harness.data import compressed
from harness.data.file_layer import digest, is_file, read_bytes
from harness.errors import BenchError

TEXT = b"a,b\n1,2\n" * 50


def zstd(data):
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def archive(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


WAYS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda data: archive({"x": data}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_and_its_compressed_one_are_the_same(way, tmp_path):
    (tmp_path / "plain").write_bytes(TEXT)
    (tmp_path / "packed").write_bytes(WAYS[way](TEXT))
    assert read_bytes(tmp_path / "packed") == TEXT
    assert digest(tmp_path / "packed") == digest(tmp_path / "plain")


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_file_is_not_half_a_file(way, tmp_path):
    (tmp_path / "packed").write_bytes(WAYS[way](TEXT)[:-5])
    with pytest.raises(BenchError, match=rf"packed: broken {way}.*fetch it again"):
        read_bytes(tmp_path / "packed")


@pytest.mark.parametrize("way", WAYS)
def test_the_unpacked_size_is_limited(way, tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "SMALL", 1000)
    monkeypatch.setattr(compressed, "RATIO", 2)
    (tmp_path / "packed").write_bytes(WAYS[way](bytes(100_000)))
    with pytest.raises(BenchError, match="unpacks to more than"):
        read_bytes(tmp_path / "packed")


def test_a_text_that_begins_like_a_bzip2_file(tmp_path):
    (tmp_path / "x").write_bytes(b"BZh9 is a mark, and a text too\n")
    assert read_bytes(tmp_path / "x").startswith(b"BZh9")


def test_members_of_an_archive(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(archive({"data/train": "a", "dev": "b", "__MACOSX/._x": "c", "data/notes": gzip.compress(b"d")}))
    assert read_bytes(f"{path}!data/train") == b"a"
    assert read_bytes(f"{path}!data/notes") == b"d"
    assert is_file(f"{path}!dev") and not is_file(tmp_path / "y.zip!dev")
    with pytest.raises(BenchError, match=r"x\.zip: 3 files in the archive .*such as x\.zip!data/train"):
        read_bytes(path)
    with pytest.raises(BenchError, match=r"x\.zip: unknown member '\.\./dev'; did you mean 'dev'"):
        read_bytes(f"{path}!../dev")
    with pytest.raises(BenchError, match=r"y\.zip: no such file"):
        read_bytes(tmp_path / "y.zip!dev")


def test_metadata_of_macos_is_not_listed(tmp_path):
    (tmp_path / "x.zip").write_bytes(archive({"data/x": "a", "__MACOSX/data/x": "b", ".DS_Store": "c"}))
    assert read_bytes(tmp_path / "x.zip") == b"a"


def test_an_empty_archive_and_one_with_a_password(tmp_path):
    (tmp_path / "x.zip").write_bytes(archive({}))
    with pytest.raises(BenchError, match=r"0 files in the archive .nothing.; name one, such as"):
        read_bytes(tmp_path / "x.zip")
    data = bytearray(archive({"x": "a"}))
    data[6] |= 1  # the flag in the file's header, and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(BenchError, match="has a password; unpack it first"):
        read_bytes(tmp_path / "x.zip")
