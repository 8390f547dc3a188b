import pytest

from harness.metrics.classification import ClassificationMetric
from harness.predictions import score_by_slice


def test_every_slice_is_scored_by_itself():
    result = score_by_slice(
        ClassificationMetric().compute, ["a", "b", "a", "a"], ["a", "a", "a", "b"], ["short", "long", "short", "long"]
    )
    assert list(result) == ["long", "short"]
    assert result["short"]["rows"] == 2 and result["short"]["accuracy"] == 1
    assert result["long"] == {"rows": 2, **ClassificationMetric().compute(predictions=["b", "a"], references=["a", "b"])}


def test_options_reach_the_metric():
    rows = ["a", "a"], ["a", "a"], ["x", "x"]
    assert score_by_slice(ClassificationMetric().compute, *rows)["x"]["macro_f1"] == 1
    assert score_by_slice(ClassificationMetric().compute, *rows, labels=["a", "b"])["x"]["macro_f1"] == 0.5


def test_lengths_must_agree():
    with pytest.raises(ValueError):
        score_by_slice(ClassificationMetric().compute, ["a"], ["a"], ["x", "y"])


def test_no_rows_have_no_slices():
    assert score_by_slice(ClassificationMetric().compute, [], [], []) == {}
