"""Odd surroundings: terminals that cannot show everything, users without a home, files called like modules, errors nobody expected."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import caching, run_output
from harness.cli import main as cli
from harness.files import write_text
from harness.safe_text import csv_cell, plain

ROOT = Path(__file__).resolve().parents[2]
ROWS = "text,label\n" + "".join(
    f"the room {number} was {word} ☃,{word} ☃\n" for number in range(20) for word in ("gut", "schlecht")
)
START = "import sys; from harness.__main__ import program; sys.argv[0] = 'bench'; program()"


def bench(folder, *words, path=str(ROOT), flags=("-P",), **environment):
    """`bench` as its installed script starts it: the current folder is not on Python's path."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("LC_ALL", "LANG", "PYTHONIOENCODING", "PYTHONSAFEPATH")
    }
    return subprocess.run(
        [sys.executable, *flags, "-c", START, *words] if flags != ("-m",) else [sys.executable, "-m", "harness", *words],
        cwd=folder, capture_output=True, timeout=300, env={**kept, "PYTHONPATH": path, "BENCH_ESTIMATE": "false", **environment},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "café ☃.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


PLACES = {
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "Windows": {"PYTHONIOENCODING": "cp1252"},
    "the locale C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_terminals_that_cannot_show_everything(folder, place):
    task = "sentiment:./café ☃.csv"
    run = ("run", "--models", "majority", "--tasks", task, "--results", "r")
    more = (
        ("task", "check", task), ("leaderboard", "--results", "r"), ("task", "new", "./café ☃.csv", "--output", "new.yaml"), ("models",),
    )  # fmt: skip
    done = [bench(folder, *words, **PLACES[place]) for words in (run, *(more if place == "ASCII" else ()))]
    assert [one.returncode for one in done] == [0] * len(done), b"".join(one.stderr for one in done)
    assert not any(b"Traceback" in one.stderr + one.stdout for one in done)
    assert b"schlecht ?" in done[0].stdout or place == "the locale C"
    assert "café" in (folder / "r" / "leaderboard.md").read_text(encoding="utf-8")
    if place == "ASCII":
        assert "schlecht ☃" in (folder / "new.yaml").read_text(encoding="utf-8")
    (record,) = [path.read_text(encoding="utf-8") for path in folder.glob("r/cells/*majority*/record.json")]
    assert json.loads(record)["task"]["name"] == "café"


SHADOWS = ["types", "evaluate", "datasets", "torch", "random", "statistics", "tasks", "tokenizers", "harness", "yaml"]


@pytest.mark.slow
def test_files_called_like_modules_are_never_imported(folder):
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(f"raise SystemExit('imported {name}')\n")
    (folder / "numpy").mkdir()
    (folder / "numpy" / "__init__.py").write_text("raise SystemExit('imported numpy')\n")
    task = "sentiment:./café ☃.csv"
    for words in (
        ("task", "check", task, "--model", "bert-mini", "--max-length", "16"),
        ("run", "--models", "majority,tfidf-lr,bert-mini", "--set", "epochs=1", "--tasks", task, "--results", "r"),
        ("compare", "majority", "tfidf-lr", "--results", "r"),
    ):
        done = bench(folder, *words)
        assert done.returncode == 0, done.stderr
        assert b"imported" not in done.stdout + done.stderr
    assert not any("imported" in log.read_text() for log in folder.glob("r/cells/*/log.txt"))


def test_python_m_harness_does_not_import_them_either(folder):
    for name in ("evaluate", "datasets", "torch", "random", "tasks"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('imported {name}')\n")
    done = bench(folder, "task", "check", "sentiment:./café ☃.csv", "--model", "bert-mini", flags=("-m",))
    assert done.returncode == 0 and b"imported" not in done.stdout + done.stderr, done.stderr


def test_where_the_path_of_python_names_the_folder_the_file_is_named(folder):
    (folder / "evaluate.py").write_text("raise SystemExit('imported')\n")
    done = bench(folder, "suites", path=f".:{ROOT}")
    assert done.returncode == 2
    assert done.stderr.decode().startswith("bench: ./evaluate.py would be imported in place of the module evaluate")
    assert done.stderr.count(b"\n") == 1
    (folder / "evaluate-0.4.dist-info").mkdir()  # it is installed there
    assert bench(folder, "suites", path=f".:{ROOT}").returncode == 0


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv"
)
@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"HOME": "/nonexistent"}, {"HOME": "/"}])
def test_a_user_without_a_home(folder, environment):
    folder.chmod(0o777)
    for parent in folder.parents:
        if os.stat(parent).st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    become = [
        "setpriv",
        "--reuid=54321",
        "--regid=54321",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
    }
    done = {
        words: subprocess.run(
            [*become, "env", "-i", *(f"{name}={value}" for name, value in {**variables, **environment}.items()), sys.executable, "-c", START, *words],
            cwd=folder, capture_output=True, text=True, timeout=300,
        )
        for words in (
            ("run", "--models", "majority", "--tasks", "sentiment:./café ☃.csv", "--results", "r"), ("models",),
            ("plan", "--models", "majority", "--tasks", "sentiment:~/x.csv"),
        )
    }  # fmt: skip
    status = [one.returncode for one in done.values()]
    assert status == [0, 0, 2], [one.stderr for one in done.values()]
    for one in done.values():
        assert "Traceback" not in one.stderr and one.stderr.count("HF_HOME and BENCH_CACHE name other places") == 1
    assert not (folder / "~").exists()


def test_without_a_home_there_is_no_cache(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("BENCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(caching.Path, "home", homeless)
    assert caching.cache_folder("machine") is None


@pytest.mark.parametrize("word", ["--debug", None])
def test_an_error_that_nobody_expected_is_one_line(word, monkeypatch, capsys, tmp_path):
    def broken():
        raise ZeroDivisionError("a\nb of hf_AbcdefgH12345678")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("BENCH_DEBUG", "1" if word else "")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and "hf_" not in str(told)
    assert told[-1].startswith("bench: unexpected ZeroDivisionError: a\\nb of [hidden]")
    if word:
        assert told[0].startswith("Traceback")
    else:
        (written,) = tmp_path.glob("bench-traceback-*.txt")
        assert len(told) == 1 and str(written) in told[0] and "ZeroDivisionError" in written.read_text()


@pytest.mark.parametrize("error", [KeyError("x"), IsADirectoryError(21, "Is a directory", "leaderboard.md")])
def test_a_board_that_cannot_be_made_does_not_fail_the_run(folder, error, monkeypatch, capsys):
    def broken(*_):
        raise error

    monkeypatch.chdir(folder)
    monkeypatch.setenv("BENCH_ESTIMATE", "false")
    monkeypatch.setattr(run_output, "refresh", broken)
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "bench",
            "run",
            "--models",
            "majority",
            "--tasks",
            "sentiment:./café ☃.csv",
            "--results",
            "r",
            "--engine",
            "inline",
        ],
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert (
        ended.value.code == 0
        and "leaderboard.md cannot be written" in told.out
        and "Traceback" not in told.out + told.err
    )


@pytest.mark.parametrize("content", [b"caf\xe9", b"# mine\n"])
def test_a_leaderboard_that_is_not_ours_is_no_trouble(folder, content):
    (folder / "r").mkdir()
    for place in (folder / "leaderboard.md", folder / "r" / "leaderboard.md"):
        place.write_bytes(content)
    done = bench(folder, "run", "--models", "majority", "--tasks", "sentiment:./café ☃.csv", "--results", "r")
    assert done.returncode == 0, done.stderr
    assert (folder / "leaderboard.md").read_bytes() == content  # outside of the results folder nothing is written


@pytest.mark.parametrize("results", ["café ☃.csv", "/proc/none"])
def test_results_that_cannot_be_written_are_told_before_anything_runs(folder, results):
    done = bench(folder, "run", "--models", "majority", "--tasks", "sentiment:./café ☃.csv", "--results", results)
    assert (
        done.returncode == 2 and b"name a folder that can be written" in done.stderr and done.stderr.count(b"\n") == 1
    )


def test_texts_that_act_are_shown_instead():
    assert plain("a\nb\x1b[31m\u202ec\x00\u2028\ud83d\ttab") == "a\\nb\\x1b[31m\\u202ec\\x00\\u2028\\ud83d\\ttab"
    assert plain("ä ☃ “quoted” 数") == "ä ☃ “quoted” 数"
    assert [csv_cell(value) for value in ("=1+1", "-x", "+1", "@a", "a=b", -1.5, None)] == [
        "'=1+1",
        "'-x",
        "'+1",
        "'@a",
        "a=b",
        -1.5,
        None,
    ]


def test_half_a_surrogate_pair_is_written_as_json_has_it(tmp_path):
    write_text(tmp_path / "x.json", json.dumps({"a": "\udce9 ☃"}, ensure_ascii=False))
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"a": "\udce9 ☃"}
