import errno
import json
import os
import re
import socket
import subprocess
import sys

import pytest
from made_records import record

from harness import files
from harness.errors import BenchError
from harness.files import disk_full, remove_leftovers, write_atomically, write_text
from harness.store import Store

RECORD = record("films", "bert", 1.0, id="a--b")
FAILED = {"status": "failed", "error": {"type": "ValueError", "message": "no"}}


def test_what_is_written_is_read(tmp_path):
    store = Store(tmp_path)
    store.write(RECORD, [{"id": "1", "prediction": "ä\u2028b", "reference": "c"}])
    assert store.finished("a--b")
    assert store.record("a--b")["score"] == 1.0
    assert store.predictions("a--b") == [{"id": "1", "prediction": "ä\u2028b", "reference": "c"}]
    assert [record["id"] for record in store.records()] == ["a--b"]
    assert {path.name for path in (tmp_path / "cells/a--b").iterdir()} == {"record.json", "predictions.jsonl"}


def test_failed_missing_cut_and_foreign_records_are_not_finished(tmp_path):
    store = Store(tmp_path)
    store.write({**RECORD, **FAILED})
    assert not store.finished("a--b")
    assert not store.finished("never")
    (store.folder("cut") / "record.json").write_text('{"schema": 1, "stat')
    assert not store.finished("cut")
    (store.folder("old") / "record.json").write_text(json.dumps({"schema": 0, "status": "ok"}))
    assert not store.finished("old")
    for name, content in (("empty", ""), ("list", '["no", "record"]'), ("nothing", "null"), ("text", '"ok"')):
        (store.folder(name) / "record.json").write_text(content)
        assert not store.finished(name) and store.record(name) is None
    assert [record["id"] for record in store.records()] == ["a--b"]


def test_no_results_is_said(tmp_path):
    with pytest.raises(BenchError, match=r"no results in .*; run: bench run"):
        list(Store(tmp_path / "none").records())


def test_only_the_records_that_are_there_are_opened_each_once(tmp_path, monkeypatch):
    store, opened = Store(tmp_path), []
    store.write(RECORD)
    store.write({**RECORD, "id": "bad", **FAILED})
    store.folder("running")
    (tmp_path / "cells/note.txt").write_text("of no cell")

    def counting(path, *how, **more):
        opened.append(str(path))
        return open(path, *how, **more)

    monkeypatch.setattr("harness.store.open", counting, raising=False)
    ids = ["a--b", "bad", "running", "note.txt", *(f"never-{number}" for number in range(50))]
    assert store.finished_among(ids) == {"a--b"}
    assert sorted(opened) == [f"{tmp_path}/cells/{name}/record.json" for name in ("a--b", "bad", "note.txt", "running")]
    assert {cell_id for cell_id in ids if store.finished(cell_id)} == {"a--b"}
    assert Store(tmp_path / "none").finished_among(ids) == set()


def test_a_score_that_is_no_number_is_read(tmp_path):
    """Python writes NaN and Infinity into JSON, which other readers refuse: null is written, and old files are read."""
    store = Store(tmp_path)
    store.write({**RECORD, "score": float("nan")})
    file = store.folder("a--b") / "record.json"
    assert json.loads(file.read_text(), parse_constant=pytest.fail)["score"] is None
    file.write_text(json.dumps({"schema": 1, **RECORD, "score": float("nan")}))
    assert store.finished("a--b") and store.finished_among(["a--b"]) == {"a--b"} and store.record("a--b")["score"] is None


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"schema": 1}', '{"schema": 1, "status": "ok"', "\x00\x00", '"text"']
)
def test_what_is_no_record_counts_as_not_run(tmp_path, content):
    store = Store(tmp_path)
    (store.folder("a") / "record.json").write_text(content)
    assert store.record("a") is None and not store.finished("a") and list(store.records()) == []
    assert store.record_and_digest("a")[0] is None and (store.digest("a") or not content.strip())


def test_a_stamp_changes_with_the_record(tmp_path):
    store = Store(tmp_path)
    assert store.digest("a") == ""
    store.write({**RECORD, "id": "a", **FAILED})
    first = store.digest("a")
    store.write({**RECORD, "id": "a"})
    assert "" != first != store.digest("a") == store.record_and_digest("a")[1]


def test_a_claim_is_had_once_and_freed_with_its_process(tmp_path):
    store = Store(tmp_path)
    mine, other = store.claim("a"), store.claim("a")
    assert mine.take() and not other.take()
    mine.release()
    assert other.take() and not mine.take()
    other.release()
    assert list(store.folder("a").iterdir()) == []
    code = f"from harness.store import Store; assert Store({str(tmp_path)!r}).claim('a').take(); import os; os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert (store.folder("a") / ".claim").exists() and mine.take()
    mine.release()


def test_whole_files_or_none(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def half(temporary):
        temporary.write_text("ha")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError) as raised:
        write_atomically(path, half)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    assert disk_full(raised.value) is raised.value and disk_full(ValueError("else")) is None
    try:
        raise ValueError("wrapped") from raised.value
    except ValueError as error:
        assert disk_full(error) is raised.value


def test_only_what_the_dead_left_is_swept_up(tmp_path):
    host = re.sub(r"[^\w-]", "_", socket.gethostname())
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = {
        f".a.json.{host}.{dead.pid}.tmp": False,  # name -> whether it stays
        f".a.json.{host}.{os.getpid()}.tmp": True,
        f".a.json.elsewhere.{dead.pid}.tmp": True,
        ".mine.tmp": True,
        "a.json": True,
    }
    for name in names:
        (tmp_path / name).write_text("x")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {name for name, stays in names.items() if stays}
    remove_leftovers(tmp_path, everything=True)
    assert {path.name for path in tmp_path.iterdir()} == {".mine.tmp", "a.json"}


def test_what_a_killed_worker_left_beside_a_good_record_goes(tmp_path):
    store = Store(tmp_path / "results")
    for name in ("free", "taken", "clean"):
        store.write({**RECORD, "id": name})
        if name != "clean":
            store.checkpoint(name).write_text("state")
            (store.folder(name) / ".record.json.host.1.tmp").write_text("half")
    (store.root / f".leaderboard.md.{files._HOST}.4194303.tmp").write_text("half")
    (store.folder("free") / ".claim").touch()
    other = Store(tmp_path / "results").claim("taken")
    assert other.take()
    store.checkpoint("taken").write_text("of the run that has it")
    store.clean_up(["free", "taken", "clean"])
    assert [path.name for path in store.folder("free").iterdir()] == ["record.json"]
    assert store.checkpoint("taken").exists()
    other.release()
    store.clean_up(["taken"])
    assert [path.name for path in store.folder("taken").iterdir()] == ["record.json"]
    assert [path.name for path in store.root.iterdir()] == ["cells"]
