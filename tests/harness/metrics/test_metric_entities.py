"""Entities compared with seqeval and with values computed by hand."""

import json
import random

import pytest
from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from harness.errors import BenchError
from harness.metrics.entities import Entities

pytestmark = pytest.mark.filterwarnings("error")
MODES = {"default": {}, "strict": {"mode": "strict", "scheme": IOB2}}


def score(predictions, references, **options):
    result = Entities().compute(predictions=predictions, references=references, **options)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", MODES)
def test_random_tags_agree_with_seqeval(seed, mode):
    # Wild tags, invalid I- included, on both sides; some sentences are empty.
    rng = random.Random(seed)
    tags = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-WORK-OF-ART", "I-WORK-OF-ART"]
    references = [rng.choices(tags, k=rng.randint(0, 12)) for _ in range(40)]
    predictions = [[tag if rng.random() < 0.7 else rng.choice(tags) for tag in row] for row in references]
    options = {"zero_division": 0, **MODES[mode]}
    report = classification_report(references, predictions, output_dict=True, **options)
    result = score(predictions, references, mode=mode)
    per_type = result.pop("per_type")
    assert result == {
        "precision": precision_score(references, predictions, **options),
        "recall": recall_score(references, predictions, **options),
        "f1": f1_score(references, predictions, **options),
        "accuracy": accuracy_score(references, predictions),
        "support": report["micro avg"]["support"],
        "mode": mode,
        "scheme": "IOB2",
    }
    assert 0 < result["f1"] < 1
    assert per_type == {
        name: {("f1" if key == "f1-score" else key): value for key, value in row.items()}
        for name, row in report.items()
        if not name.endswith(" avg")
    }


def test_by_hand():
    # Gold: PER 0-1, LOC 3. Predicted: PER 0-1, LOC 3-4 (an end is wrong), PER 5.
    references = [["B-PER", "I-PER", "O", "B-LOC", "O", "O"]]
    predictions = [["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "B-PER"]]
    for mode in MODES:
        result = score(predictions, references, mode=mode)
        assert result["precision"] == pytest.approx(1 / 3) and result["recall"] == 1 / 2
        assert result["f1"] == pytest.approx(2 / 5) and result["accuracy"] == pytest.approx(4 / 6)
        assert result["per_type"]["PER"] == pytest.approx({"precision": 0.5, "recall": 1, "f1": 2 / 3, "support": 1})
        assert result["per_type"]["LOC"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}


def test_stray_inside_tag_opens_an_entity_by_default_only():
    references, predictions = [["O", "B-PER", "I-PER"]], [["O", "I-PER", "I-PER"]]
    assert score(predictions, references)["f1"] == 1, "as conlleval"
    assert score(predictions, references, mode="strict")["f1"] == 0


def test_entities_end_with_the_sentence():
    references, predictions = [["B-PER"], ["B-PER"]], [["B-PER"], ["I-PER"]]
    assert score(predictions, references)["support"] == 2 and score(predictions, references)["f1"] == 1


@pytest.mark.parametrize("mode", MODES)
def test_no_entities(mode):
    nothing = {"precision": 0, "recall": 0, "f1": 0, "support": 0, "per_type": {}, "mode": mode, "scheme": "IOB2"}
    assert score([["O", "O"], []], [["O", "O"], []], mode=mode) == {**nothing, "accuracy": 1}
    assert score([[], []], [[], []], mode=mode) == {**nothing, "accuracy": 0}
    invented = score([["B-PER", "O"]], [["O", "O"]], mode=mode)
    assert invented["f1"] == 0 and invented["per_type"]["PER"]["support"] == 0


def test_single_unnamed_type():
    assert score([["B", "I", "O"]], [["B", "I", "O"]])["per_type"]["_"]["f1"] == 1


@pytest.mark.parametrize("tag", ["S-PER", "B-", "PER", "", "o"])
def test_tags_of_another_scheme(tag):
    with pytest.raises(BenchError, match=f"tag {tag!r} is not IOB2"):
        score([["O"]], [[tag]])


def test_rows_that_cannot_be_scored():
    with pytest.raises(BenchError, match="mode 'lenient' is unknown; valid are 'default' and 'strict'"):
        score([["O"]], [["O"]], mode="lenient")
    with pytest.raises(ValueError, match="row 1: 1 predicted tags, 2 in the reference"):
        score([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(ValueError, match="row 0: a row is a list of tags"):
        score(["O"], ["O"])
    with pytest.raises(ValueError, match="no rows to score"):
        score([], [])
