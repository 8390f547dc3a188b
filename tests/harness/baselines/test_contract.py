"""The contract of baselines: every registered one, on rows of each of its families."""

import json

import pytest
import toy

from harness import registry
from harness.baseline import Predictor
from harness.methods import BASELINE
from harness.task_data import load_splits

BUILT_IN = {"majority", "tfidf-lr", "all-o", "frequent-tag", "sliding-window", "copy", "dictionary"}
ANSWERS = ("label", "tags", "target", "answers")
ROWS = {
    "sentiment": toy.sentiment,
    "text-classification": toy.sentiment,
    "ner": toy.names,
    "qa": toy.questions,
    "translation": toy.pairs,
}
# Rows with nothing to read, as `prepare` may leave them.
EMPTY = {
    "sentiment": {"text": "", "label": "good"},
    "text-classification": {"text": "", "text_pair": "", "label": "good"},
    "ner": {"words": [], "tags": []},
    "qa": {"question": "", "context": "", "answers": {"text": [], "answer_start": []}},
    "translation": {"source": "", "target": [""]},
}
PAIRS = [(name, family) for name, one in registry.baselines().items() for family in one.families if family in ROWS]


def hidden(rows):
    """The rows without what is to be found out."""
    return [{name: value for name, value in row.items() if name not in ANSWERS} for row in rows]


def fits(name, family, task, predictions, rows):
    """Predictions are plain data, one a row, and the family can score them."""
    assert len(predictions) == len(rows) and json.loads(json.dumps(predictions)) == predictions
    kinds = {"ner": list}
    assert all(type(one) is kinds.get(family, str) for one in predictions)
    if family == "ner":
        assert [len(one) for one in predictions] == [len(row["words"]) for row in rows]
    if rows:
        adapter = registry.family(family)
        references = [adapter.reference(row, task) for row in rows]
        assert 0 <= adapter.metric(task).score(adapter.score(predictions, references, task)) <= 100


def test_registered_baselines():
    assert set(registry.baselines()) >= BUILT_IN
    covered = {family for one in registry.baselines().values() for family in one.families}
    assert covered >= set(ROWS)


@pytest.mark.parametrize("name", registry.baselines())
def test_attributes(name):
    one = registry.baselines()[name]
    assert one.name == name and one.description and one.families and one.version >= 1 and one.seconds_a_row > 0
    checkpoint = one.checkpoint()
    assert (checkpoint.architecture, checkpoint.kind, checkpoint.revision) == (BASELINE, BASELINE, None)
    newer = type(one.name, (type(one),), {"version": one.version + 1})().checkpoint()
    assert newer.digest != checkpoint.digest


@pytest.mark.parametrize(("name", "family"), PAIRS)
def test_predictions_have_the_familys_format_and_are_reproducible(name, family):
    task = toy.task(ROWS[family], family)
    splits = load_splits(task, registry.family(family))
    answers = []
    for _ in range(2):
        predictor = registry.baselines()[name].fit(splits["train"], splits["validation"], task, 0)
        assert isinstance(predictor, Predictor) and predictor.parameters >= 0 and json.dumps(dict(predictor.choice))
        answers.append(predictor.predict(hidden(splits["test"])))
        assert predictor.predict([]) == []
    assert answers[0] == answers[1]
    fits(name, family, task, answers[0], splits["test"])


@pytest.mark.parametrize(("name", "family"), PAIRS)
def test_rows_are_not_changed(name, family):
    task = toy.task(ROWS[family], family)
    splits = load_splits(task, registry.family(family))
    before = json.dumps(splits)
    registry.baselines()[name].fit(splits["train"], splits["validation"], task, 0).predict(splits["test"])
    assert json.dumps(splits) == before


@pytest.mark.parametrize("kind", ["one row", "empty rows", "one class", "no validation"])
@pytest.mark.parametrize(("name", "family"), PAIRS)
def test_few_rows_are_enough(name, family, kind):
    task = toy.task(ROWS[family], family)
    splits = load_splits(task, registry.family(family))
    nothing = [{"id": "nothing", **EMPTY[family]}]
    alike = [row for row in splits["train"] if row.get("label", "good") == "good"]
    train, validation = {
        "one row": (splits["train"][:1], splits["validation"][:1]),
        "empty rows": (nothing, nothing),
        "one class": (alike, splits["validation"]),
        "no validation": (splits["train"], []),
    }[kind]
    rows = [*splits["test"], *nothing]
    fits(name, family, task, registry.baselines()[name].fit(train, validation, task, 0).predict(hidden(rows)), rows)
