"""`bench run --shard I/N`: the shards of a plan are disjoint and together complete."""

import pytest

from harness.cli import run_commands
from harness.errors import BenchError
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.running import Execution

ASKED = {"models": "bert,gpt2", "tasks": "mini-topics,mini-ner", "seeds": "2"}


def shard(monkeypatch, tmp_path, text):
    """Return the ids of the cells that a run of one shard would run."""
    found = []
    monkeypatch.setattr("harness.running._CellRunner.start", lambda self, todo: found.extend(cell.id for cell, _ in todo))
    monkeypatch.setattr("harness.run_output.print_table", lambda *words: None)
    monkeypatch.setattr("harness.run_output.print_end", lambda *words: True)
    monkeypatch.setattr(run_commands, "command_line", lambda context: "bench run")
    monkeypatch.setattr("harness.cli.run_commands.signal.signal", lambda *words: None)
    run_commands.run(None, **ASKED, shard=text, results=tmp_path / "results")
    return found


@pytest.mark.parametrize("count", [1, 3, 8, 11])
def test_shards_are_disjoint_and_complete(monkeypatch, tmp_path, capsys, count):
    shards = [shard(monkeypatch, tmp_path, f"{number}/{count}") for number in range(1, count + 1)]
    whole = [
        cell.id
        for cell in make_plan(
            Request(["bert", "gpt2"], ["mini-topics", "mini-ner"], seeds=(0, 1), baselines=True)
        ).cells
    ]
    together = [cell for one in shards for cell in one]
    assert len(whole) == 16 and sorted(together) == sorted(whole) and len(set(together)) == len(together)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert f"{len(shards[0])} cells (shard 1/{count} of 16): 0 finished" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "/4", "1/", "a/4", "-1/4", "1/0", "1/4/2", ""])
def test_invalid_shards_are_one_line(text):
    with pytest.raises(BenchError) as raised:
        Execution(shard=text).check()
    assert str(raised.value) == f"--shard {text}: must be I/N with I from 1 to N, such as 1/4"


def test_a_shard_is_counted_from_one():
    assert [Execution(shard=text).part() for text in (None, "1/4", "4/4")] == [(0, 1), (0, 4), (3, 4)]
