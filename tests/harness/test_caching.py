"""The cache folder: its path, its size limit, and complete files."""

import os
from pathlib import Path

import pytest

from harness.caching import cache_folder, prune, write_file, write_folder


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no"])
def test_the_cache_can_be_switched_off(word, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", word)
    assert cache_folder("encoded") is None


def test_the_default_is_the_users_cache_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("BENCH_CACHE")
    monkeypatch.setattr("harness.caching.sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("encoded") == tmp_path / "bench" / "encoded"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the specification says to ignore
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder("encoded") == tmp_path / "home" / ".cache" / "bench" / "encoded"


def test_the_least_recently_used_files_are_removed_first(tmp_path):
    for number in range(5):
        (tmp_path / str(number)).write_bytes(b"x" * 100)
        os.utime(tmp_path / str(number), (number, number))
    os.utime(tmp_path / "0", (9, 9))
    prune(tmp_path, limit=250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "4"]


def test_a_folder_counts_with_all_its_files(tmp_path):
    for number in range(3):
        (tmp_path / str(number) / "deep").mkdir(parents=True)
        (tmp_path / str(number) / "deep" / "file").write_bytes(b"x" * 100_000)
        os.utime(tmp_path / str(number), (number, number))
    os.utime(tmp_path / "0", (9, 9))
    prune(tmp_path, limit=250_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "2"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "folder"

    def fill(part: Path) -> None:
        (part / "file").write_text("half")

    def full(part: Path) -> None:
        fill(part)
        raise OSError("no space left on device")

    write_folder(target, full)
    assert not list(tmp_path.iterdir())
    write_folder(target, fill)
    write_folder(target, fill)  # by a process that was slower
    assert list(tmp_path.iterdir()) == [target] and (target / "file").read_text() == "half"
    write_folder(tmp_path / "missing" / "folder", fill)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "file"

    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError("no space left on device")

    write_file(target, full)
    assert not list(tmp_path.iterdir())
    write_file(target, lambda path: path.write_text("whole"))
    assert target.read_text() == "whole" and len(list(tmp_path.iterdir())) == 1
    write_file(tmp_path / "missing" / "file", full)  # the folder was removed meanwhile: nothing happens
