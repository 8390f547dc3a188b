"""The lines that are printed while cells run."""

from io import StringIO

from made_trials import cell
from rich.console import Console

from harness.engines.base import Slot
from harness.methods import BASELINE
from harness.progress import make_progress


def test_data_warnings_are_printed_once_in_all_rounds_of_a_run():
    """A search by Optuna has a round for each trial, and each round reads the data again."""
    out, warned = StringIO(), set()
    for task in ("films", "films", "books"):
        one = cell(task=task)
        progress = make_progress(Console(file=out, width=80), [one], {task: f"./{task}.yaml"}, warned)
        with progress:
            progress.event(one, {"event": "warnings", "warnings": ["3 rows repeat an earlier one"]})
    said = out.getvalue().splitlines()
    assert [line.partition(":")[0] for line in said] == ["data   films", "data   books"]
    assert "bench task check ./films.yaml" in said[0]


def test_the_time_left_follows_estimates_and_not_the_number_of_cells(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    cells = [cell(method=BASELINE), cell(model="gpt2"), cell(model="bert")]
    out, expected = StringIO(), {one.id: 1.0 if one.is_baseline else 60.0 for one in cells}
    progress = make_progress(Console(file=out, width=80), cells, {}, None, expected)
    progress.started(cells[0], Slot("cpu", 1))
    now[0] = 1.0
    progress.finished(cells[0], {"status": "ok", "score": 50.0, "method": "full", "task": {"rows": {}}, "training": {"trouble": []}})
    assert out.getvalue().splitlines()[-1].endswith("in 1s  [1/3, about 2m00s left]")
    progress.started(cells[1], Slot("cpu", 1))
    now[0] = 28.0
    progress.event(cells[1], {"event": "step", "step": 100, "steps": 100, "loss": 1.0})
    progress.event(cells[1], {"event": "evaluate", "split": "test", "done": 9, "total": 9})
    now[0] = 31.0
    progress.finished(cells[1], {"status": "ok", "score": 50.0, "method": "full", "task": {"rows": {}}, "training": {"trouble": []}})
    # Half of what was expected: between that and the expectation, nearer to the first.
    assert out.getvalue().splitlines()[-1].endswith("in 30s  [2/3, about 40s left]")
    progress.started(cells[2], Slot("cpu", 1))
    now[0] = 32.0
    progress.finished(cells[2], {"status": "failed"})
    assert out.getvalue().splitlines()[-1].endswith("in 1s  [3/3]")


def test_without_an_estimate_no_time_left_is_printed():
    out, cells = StringIO(), [cell(seed=0), cell(seed=1)]
    progress = make_progress(Console(file=out, width=80), cells, {})
    progress.started(cells[0], Slot("cpu", 1))
    assert progress.left() == ""
    progress.finished(cells[0], {"status": "failed"})
    assert out.getvalue().splitlines()[-1].endswith("[1/2]")


def test_notes_about_a_model_are_printed_once():
    out, warned = StringIO(), set()
    for seed in (0, 1):
        one = cell(seed=seed)
        with make_progress(Console(file=out, width=80), [one], {}, warned) as progress:
            progress.event(one, {"event": "notes", "notes": ["its own head (LABEL_0) is left out", "each is computed alone"]})
            progress.event(one, {"event": "notes", "notes": []})
    (line,) = out.getvalue().splitlines()
    assert line.startswith("model  ") and line.endswith("its own head (LABEL_0) is left out; each is computed alone")
