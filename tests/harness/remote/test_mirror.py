"""Results behind a URL as seen by two machines, each with its own mirror, and a store that fails."""

import json
import os
import sys
import time

import made_records
import pytest
import toy
from faulty import FaultyFileSystem
from watch import LONG, Watch, wait_for, wait_until_done

from harness.engines.base import Job
from harness.engines.failures import fail_cell
from harness.engines.grid import run_grid
from harness.engines.inline import InlineEngine
from harness.errors import BenchError
from harness.quantities import SaveInterval
from harness.remote import remote_folder
from harness.remote.mirror import Mirror, open_store, read_store
from harness.remote.remote_folder import RemoteFolder, Unreachable, check_url, is_url
from harness.store import Store

ROWS = [{"id": "1", "prediction": "good", "reference": "bad"}]
NAMES = {"record.json", "predictions.jsonl"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(remote_folder, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(FaultyFileSystem, "failures", {})


@pytest.fixture
def url(tmp_path):
    return f"faulty://{tmp_path}/remote"


@pytest.fixture
def machine(tmp_path, monkeypatch, url):
    """machine(name) -> the mirror of that machine; stays on it until another is asked for."""

    def on(name):
        monkeypatch.setenv("BENCH_CACHE", str(tmp_path / name))
        return open_store(url)

    return on


def there(tmp_path):
    """The files behind the URL."""
    root = tmp_path / "remote"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_path_is_a_plain_store_and_a_url_has_one_mirror(machine, tmp_path, url):
    assert type(open_store(tmp_path)) is Store and not is_url("C:/results") and not is_url("./s3:/x")
    first, again = machine("a"), open_store(url + "/")
    assert isinstance(first, Mirror) and first.root == again.root and first.name == url
    assert machine("b").root != first.root and tmp_path in first.root.parents
    assert open_store(url + "2").root.parent == open_store(url).root.parent != first.root.parent


def test_sync_downloads_what_another_machine_has_sent(machine, tmp_path):
    record, other = made_records.record(), made_records.failed(model="gpt2")
    here = machine("a")
    here.write(record, ROWS)
    assert here.unsent() == [record["id"]] and there(tmp_path) == set()
    assert here.send(record["id"]) == "" and here.unsent() == []
    assert there(tmp_path) == {f"cells/{record['id']}/{name}" for name in NAMES}
    away = machine("b")
    away.sync()
    assert away.finished(record["id"]) and away.predictions(record["id"]) == ROWS and away.unsent() == []
    away.write(other)
    away.sync(send=True)
    here.sync()
    assert here.record(other["id"])["status"] == "failed"
    assert here.digest(other["id"]) == away.digest(other["id"]) != ""
    assert not list(tmp_path.rglob("*.tmp"))


def test_only_new_and_changed_files_are_downloaded(machine, monkeypatch):
    here = machine("a")
    for seed in range(3):
        here.write(made_records.record(seed=seed), ROWS)
    here.sync(send=True)
    brought = []
    get = RemoteFolder.get
    monkeypatch.setattr(RemoteFolder, "get", lambda self, pairs: brought.extend(pairs) or get(self, pairs))
    away = machine("b")
    away.sync()
    assert len(brought) == 6
    away.sync()
    assert len(brought) == 6
    here.remote.remove(f"cells/{made_records.record(seed=1)['id']}")
    here.write(made_records.record(seed=1, score=10.0), ROWS)
    here.sync(send=True)
    away.sync()
    assert len(brought) == 8 and away.record(made_records.record(seed=1)["id"])["score"] == 10.0
    (away.root / "cells" / made_records.record(seed=0)["id"] / "record.json").write_text("{")  # a crash of this machine
    away.sync()
    assert len(brought) == 10 and away.finished(made_records.record(seed=0)["id"])


def test_a_cell_removed_at_the_url_is_removed_locally(machine, url):
    record, waits = made_records.record(), made_records.record(seed=1)
    here = machine("a")
    here.write(record, ROWS)
    here.sync(send=True)
    here.write(waits, ROWS)
    RemoteFolder(url).remove("cells")
    here.sync()
    assert here.record(record["id"]) is None and here.unsent() == [waits["id"]]  # what was never sent is kept


def test_sync_does_not_undo_what_another_process_writes_meanwhile(machine, tmp_path, url):
    removed, changed = made_records.failed(), made_records.failed(model="gpt2")
    here, away = machine("a"), machine("b")
    for record in (removed, changed):
        here.write(record)
    here.sync(send=True)
    away.sync()
    away.write({**changed, "score": None, "seed": 7})
    assert away.send(changed["id"]) == ""
    RemoteFolder(url).remove(f"cells/{removed['id']}")
    good, listed, claim = made_records.record(), here._list_remote, here.claim
    assert good["id"] == removed["id"]

    def slowly(folder):
        found = listed(folder)
        here.write(good, ROWS)  # by a worker of this machine, which has sent it
        here.tags.put(good["id"], "record.json", "new")
        return found

    def later(cell_id):
        if cell_id == changed["id"]:
            here.write(made_records.record(model="gpt2"), ROWS)  # and could not send this one
        return claim(cell_id)

    here._list_remote, here.claim = slowly, later
    here.sync()
    assert here.finished(good["id"]) and here.finished(changed["id"]) and here.unsent() == [changed["id"]]


def test_a_good_record_is_never_replaced(machine, tmp_path):
    good, bad = made_records.record(), made_records.failed()
    assert good["id"] == bad["id"]
    first, second = machine("a"), machine("b")
    first.write(good, ROWS)
    second.write(bad)
    second.sync(send=True)
    first.sync(send=True)  # a failure gives way
    second.sync()
    assert second.finished(good["id"])
    second.write(bad)
    assert second.send(bad["id"]) == "" and second.finished(good["id"])
    second.write({**good, "score": 1.0}, ROWS)
    assert second.send(good["id"]) == ""
    assert second.record(good["id"])["score"] == 90.0
    assert json.loads((tmp_path / f"remote/cells/{good['id']}/record.json").read_text())["score"] == 90.0


def test_a_short_outage_is_retried_and_a_long_one_is_reported_and_sent_later(machine, tmp_path, url):
    record = made_records.record()
    here = machine("a")
    here.write(record, ROWS)
    FaultyFileSystem.failures.update(put=2, list=1)
    assert here.send(record["id"]) == "" and FaultyFileSystem.failures == {"put": 0, "list": 0}
    other = made_records.record(seed=1)
    here.write(other, ROWS)
    FaultyFileSystem.failures.update(put=3)
    told = here.send(other["id"])
    assert told.startswith(f"--results {url}: cannot be written: the store is away") and "\n" not in told
    assert "hf_SECRET" not in told and "[hidden]" in told
    assert here.unsent() == [other["id"]] and not any(other["id"] in name for name in there(tmp_path))
    FaultyFileSystem.failures.update(list=3)
    with pytest.raises(Unreachable, match="cannot be listed"):
        read_store(url)
    open_store(url).sync(send=True)
    assert here.unsent() == [] and machine("b").sync() is None and open_store(url).finished(other["id"])


def test_retries_end_after_a_time_limit(machine, monkeypatch):
    monkeypatch.setattr(remote_folder, "MAX_RETRY_SECONDS", -1.0)
    FaultyFileSystem.failures.update(list=3)
    with pytest.raises(Unreachable):
        machine("a").sync()
    assert FaultyFileSystem.failures["list"] == 2


def test_the_record_is_sent_last_and_no_file_is_truncated(machine, tmp_path, monkeypatch):
    record, sent = made_records.record(), []
    here = machine("a")
    here.write(record, ROWS)
    here.log(record["id"]).write_text("a log of more than ten characters")
    put = RemoteFolder.put

    def noted(self, path, name):
        mark = put(self, path, name)
        sent.append(path.name)
        return mark

    monkeypatch.setattr(RemoteFolder, "put", noted)
    FaultyFileSystem.failures.update(half=5)  # predictions fail for good
    assert "cannot be written" in here.send(record["id"])
    assert {name for name in there(tmp_path) if not name.endswith(".tmp")} == set()
    assert "cannot be written" not in here.send(record["id"]) and FaultyFileSystem.failures["half"] == 0
    assert sent == ["predictions.jsonl", "log.txt", "record.json"]
    assert there(tmp_path) == {f"cells/{record['id']}/{name}" for name in {*NAMES, "log.txt"}}
    assert (tmp_path / f"remote/cells/{record['id']}/log.txt").read_text().startswith("a log of more")
    FaultyFileSystem.failures.update(half=3)
    here.write({**record, "id": "other"})
    here.send("other")
    assert [name for name in there(tmp_path) if name.endswith(".tmp")]
    here.discard("other")
    here.remote.put(here.log(record["id"]), f"cells/{record['id']}/.log.txt{remote_folder.UPLOAD_SUFFIX}")  # left by a kill
    here.sync(send=True)
    assert not [name for name in there(tmp_path) if name.endswith(".tmp")]


def run(store, cell, **more):
    return run_grid(InlineEngine("cpu"), [Job(cell, more.pop("root"), store.digest(cell.id), **more)], Watch())


def test_a_cell_runs_once_and_a_failed_upload_is_sent_later(
    machine, tmp_path, url, checkpoints, monkeypatch
):
    cell = toy.cell(checkpoints("bert"), seed=3001)
    [whole] = run(Store(tmp_path / "local"), cell, root=str(tmp_path / "local"))
    here = machine("a")
    FaultyFileSystem.failures.update(put=3)
    [record] = run(here, cell, root=url)
    assert record["score"] == whole["score"] and record["metrics"] == whole["metrics"]
    assert here.unsent() == [cell.id] and "cannot be written" in here.log(cell.id).read_text()
    here.sync(send=True)
    assert there(tmp_path) == {f"cells/{cell.id}/{name}" for name in {*NAMES, "log.txt"}}
    here = machine("b")
    [again] = run(here, cell, root=url)  # planned before the other had sent it
    assert again == json.loads((tmp_path / f"remote/cells/{cell.id}/record.json").read_text())
    assert here.log(cell.id).read_text().count("LOAD REPORT") == 1
    assert here.predictions(cell.id) == Store(tmp_path / "local").predictions(cell.id)


def test_another_machine_resumes_an_interrupted_cell(machine, tmp_path, url, checkpoints):
    cell = toy.cell(checkpoints("bert"), seed=3002, epochs=40, patience=0)
    [whole] = run(Store(tmp_path / "local"), cell, root=str(tmp_path / "local"))
    machine("a")
    engine = InlineEngine("cpu")
    handle = engine.submit(Job(cell, url), engine.slots[0])
    wait_for(handle, "validation")
    handle.stop()
    wait_until_done(handle)
    assert handle.result().stopped
    assert there(tmp_path) == {f"cells/{cell.id}/{name}" for name in ("checkpoint.safetensors", "log.txt")}
    [record] = run(machine("b"), cell, root=url)
    assert record["training"]["resumed"] == 1 and record["score"] == whole["score"]
    assert record["training"]["history"] == whole["training"]["history"]
    assert there(tmp_path) == {f"cells/{cell.id}/{name}" for name in {*NAMES, "log.txt"}}
    assert (tmp_path / f"remote/cells/{cell.id}/log.txt").read_text().count("LOAD REPORT") == 2


def test_checkpoints_are_sent_during_the_training(machine, tmp_path, url, checkpoints):
    cell = toy.cell(checkpoints("bert"), seed=3003, **LONG)
    machine("a")
    engine = InlineEngine("cpu")
    handle = engine.submit(Job(cell, url, checkpoint_every=SaveInterval(steps=5)), engine.slots[0])
    path = tmp_path / f"remote/cells/{cell.id}/checkpoint.safetensors"
    seen, end = set(), time.monotonic() + 60
    while len(seen) < 3 and time.monotonic() < end:
        seen |= {path.stat().st_mtime_ns} if path.exists() else set()
        time.sleep(0.01)
    handle.stop()
    wait_until_done(handle)
    assert len(seen) == 3 and path.read_bytes() == open_store(url).checkpoint(cell.id).read_bytes()
    assert not list(open_store(url).folder(cell.id).glob("*.tmp"))


def test_a_failure_recorded_by_the_parent_is_sent(machine, url, checkpoints):
    cell = toy.cell(checkpoints("bert"), seed=3004)
    ended = fail_cell(machine("a"), cell, "WorkerDied", "it is gone", 0.0, 1.0)
    assert ended.record["status"] == "failed"
    away = machine("b")
    away.sync()
    assert away.record(cell.id)["error"]["message"] == "it is gone"


def test_checkpoints_of_finished_cells_and_discarded_cells_are_removed_at_the_url(machine, tmp_path):
    record = made_records.record()
    here = machine("a")
    here.write(record, ROWS)
    here.sync(send=True)
    left = tmp_path / f"remote/cells/{record['id']}/checkpoint.safetensors"
    left.write_bytes(b"left by a killed sender")
    here.sync()
    assert left.exists()  # who only reads removes nothing
    here.sync(send=True)
    assert not left.exists()
    here.discard(record["id"])
    assert there(tmp_path) == set() and here.record(record["id"]) is None


def test_pack_and_unpack_keep_whether_a_record_was_sent(machine):
    record = made_records.record()
    node = machine("node")
    node.write(record, ROWS)
    driver = machine("driver")
    driver.unpack(record["id"], node.pack(record["id"]))
    assert driver.unsent() == [record["id"]] and driver.predictions(record["id"]) == ROWS
    assert driver.digest(record["id"]) == node.digest(record["id"])
    node.send(record["id"])
    driver.unpack(record["id"], node.pack(record["id"]))
    assert driver.unsent() == []


def test_file_names_at_the_url_cannot_leave_the_folder(machine, tmp_path):
    (tmp_path / "remote/cells").mkdir(parents=True)
    here = machine("a")
    here.remote.tags = lambda folder: {"cells/../record.json": "1", "cells/a/b/record.json": "1", "cells/x": "1"}
    assert here._list_remote("cells") == {}


def test_unusable_urls_are_one_line_errors(monkeypatch):
    for url, message in (
        ("memory://x", "--results memory://x: memory ends with its process"),
        ("s3://", "--results s3://: must be a folder, or a URL such as s3://bucket/folder"),
        ("zip::s3://x/y", "must be a folder, or a URL such as"),
        ("sftq://host/x", "--results sftq://host/x: unknown protocol 'sftq'; did you mean 'sftp'?"),
    ):
        with pytest.raises(BenchError) as error:
            check_url(url)
        assert message in str(error.value) and "\n" not in str(error.value)

    def missing(protocol):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(sys.modules["fsspec.registry"], "get_filesystem_class", missing)
    with pytest.raises(BenchError, match=r"--results s3://\[hidden\]@b/x: s3fs is missing; run: pip install s3fs$"):
        check_url("s3://me:secret@b/x")


def test_check_finds_a_url_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreachable, match=rf"--results file://{tmp_path}/file/x: cannot be written"):
        RemoteFolder(f"file://{tmp_path}/file/x").check()
    RemoteFolder(f"file://{tmp_path}/new/x").check()
    assert os.listdir(tmp_path / "new/x") == []
