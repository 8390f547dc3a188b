"""The table of a plan stays short, and its JSON lists every cell."""

import json
from types import SimpleNamespace

import pytest
from rich.console import Console

from harness.cell import Cell
from harness.data.source import FileSource
from harness.errors import HubError
from harness.model import Checkpoint
from harness.recipe import Recipe
from harness.report.cells_table import MAX_LINES, all_facts, cells_table, to_json
from harness.task import Task

RECIPE = Recipe()


def cells(tasks, models, seeds):
    """A grid with two methods."""
    known = [Task(f"task-{number}", "sentiment", FileSource("csv", {"all": "a.csv"})) for number in range(tasks)]
    checkpoints = [
        Checkpoint(f"model-{number}", "x", "x", None, None, "encoder", f"d{number}") for number in range(models)
    ]
    return [
        Cell(model, task, "f", 1, method, seed, RECIPE, "own")
        for seed in range(seeds)
        for task in known
        for model in checkpoints
        for method in ("full", "scratch")
    ]


def shown(made, finished=(), lost=()):
    console = Console(width=100, file=None, record=True, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(cells_table(SimpleNamespace(cells=made, lost=lost), set(finished)))
    return capture.get().splitlines()


def test_few_cells_take_a_line_each():
    made = cells(2, 2, 2)
    lines = shown(made, [made[0].id], [(cells(1, 1, 3)[-1], HubError("gone"))])
    assert lines[0].split() == ["task", "model", "method", "seed", "state"]
    assert lines[1].split() == ["task-0", "model-0", "full", "0", "finished"]
    assert lines[2].split() == ["task-0", "model-0", "scratch", "0", "pending"]
    assert lines[-1].split() == ["task-0", "model-0", "scratch", "2", "cannot", "run"]
    assert len(lines) == 1 + len(made) + 1


def test_many_cells_take_a_line_for_each_task_model_and_method():
    made = cells(5, 4, 100)
    finished = [cell.id for cell in made if cell.seed < 30 and cell.model.name == "model-1"]
    lines = shown(made, finished)
    assert lines[0].split() == ["task", "model", "method", "cells", "finished", "pending"]
    assert lines[1].split() == ["task-0", "model-0", "full", "100", "0", "100"]
    assert lines[3].split() == ["task-0", "model-1", "full", "100", "30", "70"]
    assert len(lines) == 1 + 5 * 4 * 2 + 1
    assert lines[-1].startswith("4,000 cells, so a line stands for all of a task, model and method; --json")


def test_very_many_cells_take_a_line_for_each_task():
    lines = shown(cells(10, 30, 1))
    assert lines[0].split() == ["task", "cells", "pending"]
    assert [line.split() for line in lines[1:-1]] == [[f"task-{number}", "60", "60"] for number in range(10)]


@pytest.mark.parametrize("more", [0, 1])
def test_where_the_short_form_begins(more):
    lines = shown(cells(1, 1, MAX_LINES // 2) + cells(2, 1, 1)[2:][:more])
    assert ("seed" in lines[0]) == (not more)


def test_json_lists_every_cell_and_describes_files_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("text,label\n")
    made, described = cells(2, 2, 50), []
    whole = [cell.facts() for cell in made]
    describe = FileSource.describe
    monkeypatch.setattr(FileSource, "describe", lambda self: described.append(1) or describe(self))
    told = to_json({"suite": "own", "cells": list(all_facts(made)), "lost": []})
    assert json.loads(told) == {"suite": "own", "cells": whole, "lost": []}
    assert len(described) == 2 * 2 * 2
    assert len(told.splitlines()) == len(made) + 6
