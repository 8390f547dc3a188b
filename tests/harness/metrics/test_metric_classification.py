"""Classification compared with scikit-learn and with values computed by hand."""

import json
import random

import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, precision_score, recall_score

from harness.metrics.classification import ClassificationMetric

pytestmark = pytest.mark.filterwarnings("error")


def score(predictions, references, **options):
    result = ClassificationMetric().compute(predictions=predictions, references=references, **options)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("labels", [None, ["sport", "world", "été", "貓", "never"]])
def test_random_rows_agree_with_scikit_learn(seed, labels):
    rng = random.Random(seed)
    references = rng.choices(["sport", "world", "été", "貓"], [6, 3, 2, 1], k=80)
    predictions = [label if rng.random() < 0.6 else rng.choice(["sport", "貓", "world"]) for label in references]
    expected = {
        "accuracy": accuracy_score(references, predictions),
        "matthews": matthews_corrcoef(references, predictions),
    }
    for average in ("macro", "weighted"):
        for name, function in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
            expected[f"{average}_{name}"] = function(
                references, predictions, labels=labels, average=average, zero_division=0
            )
    assert score(predictions, references, labels=labels) == expected


def test_by_hand():
    # a: precision 2/3, recall 1, F1 4/5. b: precision 1, recall 1/2, F1 2/3. Matthews: (2*1 - 1*0) / sqrt(3*2*2*1).
    result = score(["a", "a", "a", "b"], ["a", "a", "b", "b"])
    assert result == pytest.approx(
        {
            "accuracy": 3 / 4,
            "macro_precision": 5 / 6,
            "macro_recall": 3 / 4,
            "macro_f1": 11 / 15,
            "weighted_precision": 5 / 6,
            "weighted_recall": 3 / 4,
            "weighted_f1": 11 / 15,
            "matthews": 2 / 12**0.5,
        }
    )


def test_one_class_only():
    right = score(["a", "a"], ["a", "a"])
    assert right.pop("matthews") == 0 and set(right.values()) == {1}
    assert score(["a", "a"], ["a", "a"], labels=["a", "b"])["macro_f1"] == 0.5, "the absent label counts 0"


def test_constant_predictions_and_all_wrong():
    constant = score(["a", "a", "a"], ["a", "b", "c"])
    assert constant["accuracy"] == pytest.approx(1 / 3) and constant["matthews"] == 0
    wrong = score(["b", "a"], ["a", "b"])
    assert wrong.pop("matthews") == -1 and set(wrong.values()) == {0}


def test_predicted_label_that_never_occurs():
    # By default it is a third class with F1 0; with the task's labels it is only a wrong answer.
    assert score(["a", "b", "maybe"], ["a", "b", "b"])["macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    answer = score(["a", "b", "maybe"], ["a", "b", "b"], labels=["a", "b"])
    assert answer["macro_f1"] == pytest.approx((1 + 2 / 3) / 2) and answer["accuracy"] == pytest.approx(2 / 3)
    assert score(["", ""], ["a", "b"], labels=["a", "b"])["accuracy"] == 0, "an empty generation is a wrong answer"


@pytest.mark.parametrize(
    ("predictions", "references", "options", "message"),
    [
        ([], [], {}, "no rows to score"),
        (["a"], ["a", "b"], {}, "1 predictions but 2 references"),
        (["a", 1], ["a", "b"], {}, "row 1: labels must be names"),
        (["a", "a"], ["a", None], {}, "row 1: labels must be names"),
        (["a"], ["z"], {"labels": ["a", "b"]}, r"references hold \['z'\]"),
    ],
)
def test_rows_that_cannot_be_scored(predictions, references, options, message):
    metric = ClassificationMetric()
    with pytest.raises(ValueError, match=message):
        metric.compute(predictions=predictions, references=references, **options)
    assert metric.compute(predictions=["a"], references=["a"])["accuracy"] == 1, "nothing is left of the failed call"
