"""What is said while cells run, to a person who reads lines."""

from io import StringIO

from made_trials import cell
from rich.console import Console

from harness.cli.progress import make_progress


def test_data_are_doubted_once_in_all_rounds_of_a_run():
    """A search by Optuna has a round for each trial, and each reads the data anew."""
    out, warned = StringIO(), set()
    for task in ("films", "films", "books"):
        one = cell(task=task)
        progress = make_progress(Console(file=out, width=80), [one], {task: f"./{task}.yaml"}, warned)
        with progress:
            progress.event(one, {"event": "warnings", "warnings": ["3 rows repeat an earlier one"]})
    said = out.getvalue().splitlines()
    assert [line.partition(":")[0] for line in said] == ["data   films", "data   books"]
    assert "bench task check ./films.yaml" in said[0]
