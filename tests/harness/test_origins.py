"""Notes on where data are: a task is read back as it was written."""

import json
import os

import pytest

from harness.cell import Cell
from harness.data.source import FileSource, GeneratedSource, HubSource
from harness.model import Checkpoint
from harness.origins import FOLDER, read_notes, write_notes
from harness.recipe import Recipe
from harness.task import Task


def cell_of(task, fingerprint="f" * 64):
    model = Checkpoint("m", "./m", "/m", None, None, "encoder", "d")
    return Cell(model, task, fingerprint, 1, "full", 0, Recipe(), "own")


def facts_of(cell):
    """Return `task` as in a record, without `source`, because these files do not exist."""
    known = {**cell.task.identity(), "name": cell.task.title, "fingerprint": cell.fingerprint, "family_version": 1}
    return json.loads(json.dumps(known))


FILES = FileSource("csv", {"train": ["/d/a.csv", "/d/b*.csv"], "test": "/d/t.zip!t.csv"}, {"delimiter": ";"})
LINES = FileSource("lines", {"all": {"source": "/d/a.en", "target": "/d/a.de"}})
HUB = HubSource("owner/name", revision="c" * 40, config="en", splits={"test": "validation"})


@pytest.mark.parametrize(
    "task",
    [
        Task("t", "sentiment", FILES, columns={"text": "tweet", "label": 2}, labels={"0": "bad", "1": "good"}, limit=9),
        Task("t", "translation", LINES, options={"source_language": "en"}, version=3),
        Task("t", "text-classification", HUB, labels=("a", "b")),
    ],
)
def test_a_task_is_read_back_unchanged(tmp_path, task):
    cell = cell_of(task)
    write_notes(tmp_path, [cell, cell])
    assert read_notes(tmp_path, facts_of(cell)) == [task]
    assert read_notes(tmp_path, facts_of(cell_of(task, "0" * 64))) == []  # other data
    assert read_notes(tmp_path, {**facts_of(cell), "limit": 5}) == []
    assert (tmp_path / FOLDER / ".gitignore").read_text() == "*\n"


def test_relative_paths_become_absolute_and_follow_a_moved_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    cell = cell_of(Task("t", "sentiment", FileSource("csv", {"all": "data/x.csv"})))
    write_notes(tmp_path / "here" / "results", [cell])
    os.rename(tmp_path / "here", tmp_path / "there")
    found = read_notes(tmp_path / "there" / "results", facts_of(cell))
    assert [task.source.files["all"] for task in found] == [
        str(tmp_path / "here/data/x.csv"),
        str(tmp_path / "there/data/x.csv"),
    ]


def test_a_source_that_json_cannot_describe_leaves_no_note(tmp_path):
    generated = cell_of(Task("t", "sentiment", GeneratedSource(dict, "made")))
    write_notes(tmp_path / "a", [generated])
    assert not (tmp_path / "a").exists() and read_notes(tmp_path / "a", facts_of(generated)) == []
    (tmp_path / "file").write_text("")
    write_notes(tmp_path / "file", [cell_of(Task("t", "sentiment", FILES))])  # no folder can be made there


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"source": {"files": {}}, "results": "/r"}', '{"results": 1}'])
def test_an_unreadable_note_is_ignored_and_written_again(tmp_path, content):
    cell = cell_of(Task("t", "sentiment", FILES))
    write_notes(tmp_path, [cell])
    (path,) = (tmp_path / FOLDER).glob("*.json")
    path.write_text(content)
    assert read_notes(tmp_path, facts_of(cell)) == []
    write_notes(tmp_path, [cell])
    assert len(read_notes(tmp_path, facts_of(cell))) == 1
