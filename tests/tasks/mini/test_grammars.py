"""The grammars of the embedded suite: the same everywhere and always, split cleanly, and well-formed."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# A grammar that changes must raise its VERSION: results of two versions never stand on one board.
FINGERPRINTS = {
    "sentiment": (1, "8f37a02c64d72908"),
    "topics": (1, "c12f4951e145c52b"),
    "ner": (1, "f31244e234c0a524"),
    "qa": (1, "2690ca8ea83900a3"),
    "translation": (1, "3e647a1d2086ddbc"),
}
TEXT = {
    "sentiment": lambda row: row["text"],
    "topics": lambda row: row["text"],
    "ner": lambda row: " ".join(row["words"]),
    "qa": lambda row: row["context"],
    "translation": lambda row: row["source"],
}
TASKS = list(TEXT)


def fingerprint(data: dict) -> str:
    """A digest of all rows in their order."""
    return hashlib.sha256(json.dumps(data, ensure_ascii=False).encode()).hexdigest()[:16]


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    """Name, module and rows of a task."""
    module = import_module(f"tasks.mini.{request.param}")
    return request.param, module, module.generate()


def test_fingerprint_is_the_recorded_one_for_this_version(task):
    name, module, data = task
    assert (module.VERSION, fingerprint(data)) == FINGERPRINTS[name]


def test_same_rows_in_another_process_with_another_hash_seed():
    code = (
        "import hashlib, json; from importlib import import_module\n"
        f"for name in {TASKS}:\n"
        "    data = import_module('tasks.mini.' + name).generate()\n"
        "    print(name, hashlib.sha256(json.dumps(data, ensure_ascii=False).encode()).hexdigest()[:16])"
    )
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert dict(line.split() for line in done.stdout.splitlines()) == {name: FINGERPRINTS[name][1] for name in TASKS}


def test_no_text_and_no_id_occurs_twice(task):
    name, _, data = task
    texts = [TEXT[name](row) for rows in data.values() for row in rows]
    assert len(texts) == len(set(texts))
    ids = [row["id"] for rows in data.values() for row in rows]
    assert len(ids) == len(set(ids))


def test_sizes_and_phenomena(task):
    _, _, data = task
    assert (
        1000 <= len(data["train"]) <= 2500 and 200 <= len(data["validation"]) <= 300 and 300 <= len(data["test"]) <= 500
    )
    counts = Counter(row["phenomenon"] for row in data["test"])
    assert len(counts) >= 5 and min(counts.values()) >= 40, counts


def test_no_column_is_missing(task):
    name, _, data = task
    columns = {"sentiment": {"text", "label"}, "topics": {"text", "label"}, "ner": {"words", "tags"},
               "qa": {"question", "context", "answers", "group"}, "translation": {"source", "target"}}[name]  # fmt: skip
    for rows in data.values():
        assert all(set(row) == columns | {"id", "phenomenon"} for row in rows)


@pytest.mark.parametrize("name", ["sentiment", "topics"])
def test_labels_are_balanced(name):
    for split, rows in import_module(f"tasks.mini.{name}").generate().items():
        counts = Counter(row["label"] for row in rows)
        assert max(counts.values()) < 1.6 * len(rows) / len(counts), (split, counts)


def test_iob2():
    from tasks.mini import ner

    for rows in ner.generate().values():
        for row in rows:
            assert len(row["words"]) == len(row["tags"]) and all(row["words"])
            for before, tag in zip(["O", *row["tags"]], row["tags"], strict=False):
                assert tag == "O" or (tag[:2] in ("B-", "I-") and tag[2:] in ("PER", "ORG", "LOC"))
                assert not tag.startswith("I-") or before[1:] == tag[1:], row


def test_a_place_name_is_a_place_and_a_team():
    from tasks.mini import ner

    seen = Counter(
        (word, tag) for row in ner.generate()["test"] for word, tag in zip(row["words"], row["tags"], strict=True)
    )
    both = [word for word in ner.PLACES[0] + ner.PLACES[1] if seen[word, "B-LOC"] and seen[word, "B-ORG"]]
    assert len(both) > 20


def test_answers_stand_where_they_say():
    from tasks.mini import qa

    for split, rows in qa.generate().items():
        empty = 0
        for row in rows:
            text, start = row["answers"]["text"], row["answers"]["answer_start"]
            assert len(text) == len(start) <= 1
            empty += not text
            if text:
                assert row["context"][start[0] :].startswith(text[0]) and text[0] in row["context"]
            assert (not text) == (row["phenomenon"] == "unanswerable")
        assert 0.1 < empty / len(rows) < 0.3, split
