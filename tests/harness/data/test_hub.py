"""Data sets of the Hub: the real clients talk to a small server on this machine."""

import json
import subprocess
import sys

import local_hub
import pytest

from harness.data.hub_data import HubSource
from harness.data.source import Source
from harness.errors import BenchError


def test_wrong_arguments_fail_without_a_request_to_the_hub():
    with pytest.raises(BenchError, match="'sst2': must be owner/name"):
        HubSource("sst2")
    with pytest.raises(BenchError, match="unknown split 'tset'"):
        HubSource("stanfordnlp/sst2", splits={"tset": "test"})
    assert isinstance(HubSource("stanfordnlp/sst2"), Source)
    assert HubSource("a/b", "v1", "c").describe() == "a/b@v1 (c)"
    assert (
        len(
            {
                HubSource("a/b", "f" * 40, config, splits).fingerprint()
                for config in (None, "c")
                for splits in ({}, {"train": "x"})
            }
        )
        == 4
    )


REPOSITORIES = (
    "stanfordnlp/sst2",
    "tomaarsen/conll2003",
    "rajpurkar/squad",
    "bentrevett/multi30k",
    "eriktks/conll2003",
)

# Run in a new process, since the clients read HF_ENDPOINT and HF_HOME once, when they are imported.
PROGRAM = """
import json, os, sys
from collections import Counter
from harness.data.hub_data import HubSource, _plain
from harness.errors import BenchError

out = {}
def refused(source):
    try:
        source.read()
    except BenchError as error:
        return str(error)

sst2 = HubSource("stanfordnlp/sst2").pinned()
out["revision"], out["again"] = sst2.revision, sst2.pinned().revision
out["fingerprints"] = [sst2.fingerprint(), HubSource("stanfordnlp/sst2").fingerprint()]
rows = sst2.read()
out["sst2"] = {split: dict(Counter(str(row["label"]) for row in part)) for split, part in rows.items()}
out["chosen"] = {split: len(part) for split, part in
                 HubSource("stanfordnlp/sst2", splits={"train": "train[:100]", "test": "validation"}).read().items()}
conll = HubSource("tomaarsen/conll2003").read()
out["conll"] = sorted({tag for part in conll.values() for row in part for tag in row["ner_tags"]})
export = HubSource("eriktks/conll2003", "refs/convert/parquet", data_files={
    split: f"conll2003/{split}/*.parquet" for split in ("train", "validation", "test")}).read()
out["same"] = export == conll
out["script"] = refused(HubSource("eriktks/conll2003"))
squad = HubSource("rajpurkar/squad", config="plain_text").read()
out["squad"] = [len(squad["train"]), sorted(squad["train"][0]["answers"]),
                all(row["context"].startswith(text, start) for row in squad["train"]
                    for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"]))]
pairs = HubSource("bentrevett/multi30k").read()
out["multi30k"] = {split: [len(part), sorted(part[0])] for split, part in pairs.items()}
out["nobody"] = refused(HubSource("nobody/nothing"))
out["revision error"] = refused(HubSource("stanfordnlp/sst2", "v9"))
out["config"] = refused(HubSource("rajpurkar/squad", config="plain"))
out["split"] = refused(HubSource("stanfordnlp/sst2", splits={"train": "trian"}))

from datasets import Dataset, Features, Translation, Value
pairs = Dataset.from_list([{"id": 1, "translation": {"en": "a", "de": "b"}}],
                          features=Features({"id": Value("int64"), "translation": Translation(["en", "de"])}))
out["translation"] = _plain(pairs)
open(sys.argv[1], "w").write(json.dumps(out))
"""

OFFLINE = """
import sys
from harness.data.hub_data import HubSource
from harness.errors import BenchError
print(len(HubSource("stanfordnlp/sst2").pinned().read()["validation"]))
files = {split: f"conll2003/{split}/*.parquet" for split in ("train", "validation", "test")}
print(len(HubSource("eriktks/conll2003", "refs/convert/parquet", data_files=files).read()["test"]))
try:
    HubSource("stanfordnlp/sst2", "0" * 40).read()
except BenchError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def hub(shared, tmp_path_factory):
    """The environment in which the clients find a Hub with a few data sets."""
    with local_hub.serve(shared / "tools", tmp_path_factory.mktemp("hub"), REPOSITORIES) as environment:
        yield environment


@pytest.mark.slow
def test_reading_from_a_hub(hub, tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "out.json"], capture_output=True, text=True, env=hub, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    out = json.loads((tmp_path / "out.json").read_text())

    assert len(out["revision"]) == 40
    assert out["again"] == out["revision"]
    assert len(set(out["fingerprints"])) == 1
    # Labels are names; the test split hides them.
    assert out["sst2"] == {
        "train": {"negative": 4_471, "positive": 5_529},
        "validation": {"negative": 428, "positive": 444},
        "test": {"None": 1_821},
    }
    assert out["chosen"] == {"train": 100, "test": 872}
    assert out["conll"] == sorted(
        ["O", *(f"{letter}-{kind}" for letter in "BI" for kind in ("PER", "ORG", "LOC", "MISC"))]
    )
    assert out["same"]
    assert "eriktks/conll2003@main: cannot be loaded" in out["script"]
    assert "scripts are no longer supported" in out["script"]
    assert out["squad"] == [973, ["answer_start", "text"], True]
    assert out["multi30k"] == {
        "train": [10_000, ["de", "en"]],
        "validation": [1_014, ["de", "en"]],
        "test": [1_000, ["de", "en"]],
    }
    assert out["nobody"].startswith("data set 'nobody/nothing@main' is not on the Hub")
    assert out["revision error"].startswith("data set 'stanfordnlp/sst2@v9' has no such revision")
    assert "plain_text" in out["config"]
    assert "unknown split 'trian'; did you mean 'train'" in out["split"]
    assert out["translation"] == [{"id": 1, "en": "a", "de": "b"}]

    # Offline the cached commit is served, and is not passed off as another one.
    offline = {**hub, "HF_HUB_OFFLINE": "1"}
    result = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, env=offline, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    first, second, refused = result.stdout.strip().split("\n")
    assert (first, second) == ("872", "313")
    assert f"commit {'0' * 40} cannot be had, only a cached copy of {out['revision']}" in refused
