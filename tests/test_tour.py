"""`docs/tour.ipynb` runs from its first cell to its last, and its saved outputs are those of these cells."""

import os
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs/tour.ipynb"
nbformat = pytest.importorskip("nbformat", reason="no notebooks to test with: pip install nbclient ipykernel")
nbclient = pytest.importorskip("nbclient", reason="no notebooks to test with: pip install nbclient ipykernel")


def kinds(cell):
    """Which kinds of output a cell has: what it prints, and in which forms it is shown."""
    found = {output["output_type"] for output in cell.get("outputs", ())}
    return found, {form for output in cell.get("outputs", ()) for form in output.get("data", ())}


def test_the_saved_outputs_are_whole_and_name_no_place_of_a_machine():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert len(code) == 10 and all(cell.outputs and cell.execution_count for cell in code)
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert not any(word in text for word in ("/root", "/tmp", "/home", "\\u001b", "Traceback"))


@pytest.mark.slow
@pytest.mark.long
def test_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_BASELINES", "true")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(NOTEBOOK.parents[1]), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    saved = [kinds(cell) for cell in notebook.cells]
    nbclient.NotebookClient(notebook, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [kinds(cell) for cell in notebook.cells] == saved
    (run,) = (cell for cell in notebook.cells if "harness.run(" in cell.source)
    said = "".join(output["text"] for output in run.outputs)
    assert "5 cells: 0 finished, 5 to run" in said and "[5/5]" in said and "\x1b" not in said
