"""The benchmarks of what is not training run, on the smallest of inputs. No time is tested."""

import sys
from pathlib import Path

import pytest

from harness.store import Store

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import overhead
import scale_records


def test_made_up_records_are_as_many_as_asked_for_and_read_like_real_ones(tmp_path):
    pairs = list(scale_records.grid(4, 6, ("full", "scratch"), 3))
    assert scale_records.write(tmp_path, pairs) == 4 * 6 * 2 * 3 == len(list(tmp_path.glob("cells/*/record.json")))
    records = list(Store(tmp_path).records())
    assert len({record["task"]["name"] for record in records}) == 6
    assert len({record["model"]["name"] for record in records}) == 4
    assert {record["status"] for record in records} == {"ok", "failed"}


@pytest.mark.long
def test_what_a_cell_costs_beside_training(monkeypatch, capsys):
    monkeypatch.setenv("BENCH_CACHE", "off")  # is put elsewhere, and back afterwards
    overhead.main(["--tasks", "mini-sentiment", "--models", "bert", "--seeds", "1", "--set", "recipe.max_steps=2"])
    *_, line = capsys.readouterr().out.strip().splitlines()
    task, model, *seconds = [cell.strip() for cell in line.strip("|").split("|")]
    assert (task, model) == ("mini-sentiment", "bert-mini") and all(float(number) >= 0 for number in seconds[:5])
