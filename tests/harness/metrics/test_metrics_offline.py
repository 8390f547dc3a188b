"""Metrics need no network and no disk, and any number of processes can score at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import evaluate
import pytest

from harness.metrics.classification import ClassificationMetric
from harness.metrics.entities import Entities
from harness.metrics.squad import Squad
from harness.metrics.translation import TranslationMetric

ROOT = Path(__file__).parents[3]
ROWS = {
    ClassificationMetric: (["a", "b"], ["a", "a"]),
    Entities: ([["B-X", "O"]], [["B-X", "B-X"]]),
    TranslationMetric: (["an owl sleeps here"], [["an owl sleeps here"]]),
    Squad: ([{"id": "1", "prediction_text": "owl"}], [{"id": "1", "answers": {"text": ["owl"], "answer_start": [0]}}]),
}
# One import of the libraries, which is slow, then two processes from it: as the workers' fork server does it.
SCRIPT = """
import json, multiprocessing, socket
tried = []
def refuse(*args, **kwargs):
    tried.append(repr(args))
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from test_metrics_offline import ROWS
def score(worker):
    for turn in range(20):
        scores = [metric().compute(predictions=p, references=r) for metric, (p, r) in ROWS.items()]
    return {"scores": scores, "tried": tried}
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(json.dumps(pool.map(score, range(2), chunksize=1)))
"""


def test_two_processes_without_network_or_home(tmp_path):
    (tmp_path / "file").touch()
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HOME": str(tmp_path / "file" / "home"),  # a folder that cannot be made, not even by root
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        check=False,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    expected = [metric().compute(predictions=p, references=r) for metric, (p, r) in ROWS.items()]
    assert json.loads(done.stdout) == [{"scores": expected, "tried": []}] * 2


@pytest.mark.parametrize("metric_class", ROWS, ids=lambda metric: metric.__name__)
def test_nothing_is_written_and_rows_are_not_mixed(metric_class, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(tmp_path))
    predictions, references = ROWS[metric_class]
    first, second = metric_class(), metric_class()
    first.add_batch(predictions=predictions, references=references)
    alone = second.compute(predictions=predictions, references=references)
    assert first.compute() == alone
    assert first.compute(predictions=predictions, references=references) == alone, "a metric can be used again"
    assert first.experiment_id != second.experiment_id
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("metric_class", ROWS, ids=lambda metric: metric.__name__)
def test_metrics_describe_themselves(metric_class):
    metric = metric_class()
    assert isinstance(metric, evaluate.Metric)
    assert metric.description and "@" in metric.citation and set(metric.features) == {"predictions", "references"}


def test_package_imports_nothing():
    code = "import sys, harness.predictions; print(sorted({'evaluate', 'numpy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
