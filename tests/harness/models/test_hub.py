"""Models and data of the Hub, end to end: the real clients talk to a small server on this machine."""

import json
import subprocess
import sys
from types import SimpleNamespace

import local_hub
import pytest
from huggingface_hub import HfApi

import harness.models.hub_checkpoints as models_hub
from harness.errors import BenchError, HubError
from harness.model import Checkpoint, Model

SUITE = """
name: hub
models: {bert: google-bert/bert-base-uncased, gpt2: openai-community/gpt2, t5: google-t5/t5-small, distil: distilbert/distilbert-base-uncased}
tasks:
  - {name: sst2, family: sentiment, data: {hub: stanfordnlp/sst2, splits: {train: train, test: validation}}, columns: {text: sentence, label: label}}
  - {name: squad, family: qa, data: {hub: rajpurkar/squad, config: plain_text, splits: {train: train, test: validation}}}
recipes: [{max_steps: 1, max_length: 64}]
"""
EMPTY = "\2" + "\0" * 7 + "{}"  # a safetensors file without tensors
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


def test_pickled_weights_are_replaced_by_the_conversion_of_the_bot(monkeypatch, tmp_path):
    """The recorded commit is that of the conversion; a pull request of another author with the same title is not trusted."""
    (tmp_path / "config.json").write_text('{"model_type": "marian"}')
    commits = {None: "a" * 40, "refs/pr/7": "b" * 40}
    words = {"config.json", "vocab.json", "source.spm", "target.spm"}
    files = {"a" * 40: {*words, "pytorch_model.bin"}, "b" * 40: {*words, "model.safetensors"}}
    monkeypatch.setattr(models_hub, "resolve_commit", lambda repo, kind, revision: commits[revision])
    monkeypatch.setattr(models_hub, "_snapshot", lambda repo, commit, patterns, source: (tmp_path, files[commit]))
    asked = []

    def discussions(self, repo, **words):
        asked.append(words["author"])
        titles = {5: "Update README.md", 7: models_hub.CONVERSION}
        return iter([SimpleNamespace(num=number, title=title) for number, title in titles.items()])

    monkeypatch.setattr(HfApi, "get_repo_discussions", discussions)
    checkpoint = models_hub.hub_checkpoint("someone/old", Model("old", "someone/old"))
    assert checkpoint.revision == checkpoint.digest == "b" * 40 and asked == ["SFconvertbot"]
    assert not checkpoint.fast_tokenizer and checkpoint.architecture == "encoder-decoder"
    monkeypatch.setattr(HfApi, "get_repo_discussions", lambda self, repo, **words: iter([]))
    with pytest.raises(HubError, match="'someone/old' has no safetensors weights, and no others are loaded"):
        models_hub.hub_checkpoint("someone/old", Model("old", "someone/old"))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config.json": '{"model_type": "bert"}', "model.safetensors": EMPTY}, "no tokeniser in its folder"),
        ({"adapter_config.json": '{"base_model_name_or_path": "a/base"}'}, "holds an adapter .LORA. for 'a/base'"),
        ({"model/config.json": "{}", "model/model.safetensors": EMPTY}, "the model is in its folder 'model'"),
        ({"README.md": "", "model.safetensors": EMPTY}, "has no config.json"),
        (
            {"config.json": '{"model_type": "llama", "quantization_config": {"quant_method": "awq", "bits": 4}}'},
            "its weights are quantised .awq, 4 bits.",
        ),
    ],
)
def test_a_repository_without_a_whole_model_is_refused_when_planned(monkeypatch, tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(models_hub, "resolve_commit", lambda repo, kind, revision: "a" * 40)
    names = {*files, "model.safetensors"}
    monkeypatch.setattr(models_hub, "_snapshot", lambda repo, commit, patterns, source: (tmp_path, names))
    with pytest.raises(BenchError, match=words) as found:
        models_hub.hub_checkpoint("a/m", Model("m", "a/m"))
    assert "\n" not in str(found.value)


def test_weights_are_complete_only_with_all_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(models_hub, "_snapshot", lambda repo, commit, patterns, source: (tmp_path, set()))
    checkpoint = Checkpoint("m", "a/m", "a/m", "c" * 40, None, "encoder", "c" * 40)
    (tmp_path / "config.json").write_text("{}")
    index = '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
    for add in ({}, {"model.safetensors.index.json": index}, {"model-1.safetensors": EMPTY}):
        for name, content in add.items():
            (tmp_path / name).write_text(content)
        with pytest.raises(HubError, match="not complete in the cache"):
            models_hub.fetch_checkpoint(checkpoint)
    (tmp_path / "model-2.safetensors").write_text(EMPTY)
    with pytest.raises(HubError, match=r"no tokeniser in its folder.*if only the cache lacks it, run `bench fetch`"):
        models_hub.fetch_checkpoint(checkpoint)
    (tmp_path / "tokenizer.json").write_text("{}")
    assert models_hub.fetch_checkpoint(checkpoint) == tmp_path


@pytest.mark.long
def test_a_grid_from_the_hub_then_offline(hub, tmp_path):
    (tmp_path / "hub.yaml").write_text(SUITE)
    words = ["run", "--suite", "hub.yaml", "--models", "all", "--tasks", "all", "--limit", "8", "--json"]
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
def test_errors_of_the_hub_are_one_line(hub, tmp_path):
    for model, words in (
        ("nobody/nothing", "is not on the Hub"),
        ("openai-community/gpt2@v9", "has no such revision"),
    ):
        done = bench(hub, tmp_path, "plan", "--models", model, "--tasks", "mini-ner")
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
