"""Models and data of the Hub, end to end: the real clients talk to a small server on this machine."""

import json
import subprocess
import sys

import local_hub
import pytest

SUITE = """
name: hub
models: {bert: google-bert/bert-base-uncased, gpt2: openai-community/gpt2, t5: google-t5/t5-small, distil: distilbert/distilbert-base-uncased}
tasks:
  - {name: sst2, family: sentiment, data: {hub: stanfordnlp/sst2, splits: {train: train, test: validation}}, columns: {text: sentence, label: label}}
  - {name: squad, family: qa, data: {hub: rajpurkar/squad, config: plain_text, splits: {train: train, test: validation}}}
recipes: [{epochs: 1, max_length: 64}]
"""
REPOSITORIES = [
    "google-bert/bert-base-uncased",
    "openai-community/gpt2",
    "google-t5/t5-small",
    "distilbert/distilbert-base-uncased",
    "stanfordnlp/sst2",
    "rajpurkar/squad",
]


@pytest.fixture(scope="module")
def hub(shared, tmp_path_factory):
    """The environment in which the clients find a Hub with some models and data sets."""
    with local_hub.serve(shared / "tools", tmp_path_factory.mktemp("hub"), REPOSITORIES) as environment:
        yield environment


def bench(environment, folder, *words):
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)


@pytest.mark.slow
def test_a_grid_from_the_hub_then_offline(hub, tmp_path):
    (tmp_path / "hub.yaml").write_text(SUITE)
    words = ["run", "--suite", "hub.yaml", "--models", "all", "--tasks", "all", "--limit", "24", "--json"]
    done = bench(hub, tmp_path, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads(done.stdout)
    assert len(cells) == 8 and all(cell["status"] == "ok" for cell in cells)
    for cell in cells:
        record = json.loads((tmp_path / "bench-results/cells" / cell["id"] / "record.json").read_text())
        assert len(record["model"]["revision"]) == 40 and len(record["task"]["revision"]) == 40
    # Without a network the cache serves the same commits: the same cells, all finished; and another one runs.
    offline = {**hub, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}
    again = bench(offline, tmp_path, *words)
    assert again.returncode == 0 and "8 finished, 0 to run" in again.stderr, again.stderr
    assert bench(offline, tmp_path, *words, "--seeds", "1,").returncode == 0


@pytest.mark.slow
def test_what_the_hub_has_not_is_said_in_one_line(hub, tmp_path):
    for model, words in (
        ("nobody/nothing", "is not on the Hub"),
        ("openai-community/gpt2@v9", "has no such revision"),
    ):
        done = bench(hub, tmp_path, "plan", "--models", model, "--tasks", "mini-ner")
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
