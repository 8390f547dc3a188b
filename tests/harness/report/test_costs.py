"""Columns of cost: what they read, and that a new one is one entry for all formats."""

import subprocess
import sys
from pathlib import Path

from made_records import record

from harness.grouping import costs
from harness.grouping.board_records import CostPart
from harness.report.board import Board

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
sys.path.insert(0, "tests")
from harness.grouping import costs
extra = costs.CostColumn("kilowatt_hours", ("cost", "kilowatt_hours"), "energy", "energy of a cell", lambda kwh: f"{kwh:g} kWh", (1.0, 10.0), cells=sum)
costs.COSTS += (extra,)

import csv, io, json
from made_page import view
from made_records import record
from rich.console import Console
from harness.report.board import Board
from harness.report.formats import FORMATS
from harness.report.page.render import page
from harness.report.terminal import final_table
from harness.store import Store

store = Store(sys.argv[1])
for model, kwh in (("bert", 1.5), ("gpt", 4.0)):
    for seed in (0, 1):
        store.write(record("films", model, 90.0, seed, cost={"kilowatt_hours": kwh + seed}))
board = Board.of(store.records())
line = next(csv.DictReader(io.StringIO(FORMATS["csv"](board))))
assert line["kilowatt_hours"] == "2.5", line
made = json.loads(FORMATS["json"](board))
assert made["rows"][0]["kilowatt_hours"] == 4.0 and made["rows"][0]["entries"]["films"]["kilowatt_hours"] == 2.5
text = FORMATS["md"](board)
assert text.count("|   energy |") + text.count("|  energy |") + text.count("| energy |") == 2, text
assert "4 kWh" in text and "2.5 kWh" in text
console = Console(width=200, record=True, file=io.StringIO())
console.print(final_table(board))
assert "energy" in (shown := console.export_text()) and "9 kWh" in shown
shown = page(view(store))
assert "energy of a cell" in shown and "9 kWh" in shown
"""


def test_new_cost_column_appears_in_all_formats(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_records_keep_what_cost_columns_need():
    read = {key for cost in costs.COSTS if cost.source[0] == "cost" for key in (cost.source[1], cost.more) if key}
    assert set(CostPart.__annotations__) == read


def test_costs_over_seeds_and_cells():
    facts = {
        "model_facts": {"parameters": 9},
        "cost": {"train_seconds": 0.0, "peak_memory_bytes": 5, "trainable_parameters": 3},
    }
    board = Board.of(
        [record(seed=0, **facts), record(seed=1), record("songs", seed=0, model_facts={"parameters": None})]
    )
    (row,) = board.rows
    assert row.costs == {
        "parameters": (9, 4_400_000),
        "trained": (3, 3),
        "train_seconds": 7.0,
        "search_seconds": None,
        "peak_memory_bytes": 2**30 + 1,
    }
    assert row.entries["films"].costs["train_seconds"] == 5.5 and row.entries["films"].parameters == 4_400_000
    assert row.entries["songs"].costs["parameters"] is None and row.entries["songs"].trained is None
    wanted = costs.shown_costs(board.rows)
    shown = {cost.name: cost.cell_text(row) for cost in wanted}
    assert shown == {"parameters": "9–4.4M", "trained": "3", "train_seconds": "7.0 s", "peak_memory_bytes": "1.0 GiB"}


def test_search_time_is_a_column_and_part_of_the_training_time_only_after_a_search():
    searched = {"cost": {"train_seconds": 4.0, "search_seconds": 100.0}}
    board = Board.of(
        [record(**searched), record(seed=1, **searched), record(model="other", cost={"train_seconds": 4.0})]
    )
    first, other = sorted(board.rows, key=lambda row: row.model)
    assert (first.costs["search_seconds"], first.train_seconds) == (100.0, 104.0)
    assert (other.costs["search_seconds"], other.train_seconds) == (None, 4.0)
    assert "search_seconds" in [cost.name for cost in costs.shown_costs(board.rows)]


def test_trained_parameters_are_a_column_only_if_a_part_is_trained():
    every = Board.of([record(cost={"trainable_parameters": 4_400_000})])
    assert "trained" not in [cost.name for cost in costs.shown_costs(every.rows)]
