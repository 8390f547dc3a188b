import json

import pytest

from harness.errors import BenchError
from harness.store import Store

RECORD = {"id": "a--b", "status": "ok", "score": 1.0}


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
    store.write({**RECORD, "status": "failed"})
    assert not store.finished("a--b")
    assert not store.finished("never")
    (store.folder("cut") / "record.json").write_text('{"schema": 1, "stat')
    assert not store.finished("cut")
    (store.folder("old") / "record.json").write_text(json.dumps({"schema": 0, "status": "ok"}))
    assert not store.finished("old")
    assert [record["id"] for record in store.records()] == ["a--b"]


def test_no_results_is_said(tmp_path):
    with pytest.raises(BenchError, match=r"no results in .*; run: bench run"):
        list(Store(tmp_path / "none").records())
