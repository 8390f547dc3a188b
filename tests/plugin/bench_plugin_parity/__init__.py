"""A plugin as a third party writes it: a family of its own, a task of it, a baseline and a model, found by entry points."""

from pathlib import Path

from harness.baseline import Baseline, Predictor
from harness.data.source import GeneratedSource
from harness.family import TaskFamily
from harness.model import Model
from harness.task import Task


class Parity(TaskFamily):
    """Is the number of dogs in the text even? A family in one file: columns, a head that exists, a metric."""

    name = "parity"
    description = "even or odd"
    columns = {"text": "dogs and cats"}
    head = "harness.heads.sequence:SequenceHead"
    primary_metric = "accuracy"

    def labels(self, splits, task):
        return ["even", "odd"]

    def example(self, row, task):
        return {"text": row["text"], "text_pair": None, "label": self.reference(row, task)}

    def reference(self, row, task):
        return "odd" if row["text"].split().count("dog") % 2 else "even"

    def score(self, predictions, references, task):
        right = sum(one == other for one, other in zip(predictions, references, strict=True))
        return {"accuracy": right / len(references)}

    def trivial(self, train, rows, task):
        return ["even"] * len(rows)


class Counted(Predictor):
    """The answer that texts with so many dogs had in training."""

    def __init__(self, answers):
        self.answers = answers
        self.parameters = len(answers)

    def predict(self, rows):
        return [self.answers.get(row["text"].count("dog"), "even") for row in rows]


class Counting(Baseline):
    """It solves the task, so nothing needs to be fine-tuned for it."""

    name = "counting"
    description = "counts dogs"
    families = ("parity",)

    def fit(self, train, validation, task, seed):
        family = Parity()
        return Counted({row["text"].count("dog"): family.reference(row, task) for row in train})


def generate():
    rows = [{"text": " ".join("dog" if number >> bit & 1 else "cat" for bit in range(6))} for number in range(64)]
    return {"train": rows, "validation": rows[:16], "test": rows[16:48]}


BASELINE = Counting
PLUGIN = [Parity, Task("dogs", "parity", GeneratedSource(generate, "all strings of six animals"))]
MODEL = Model(
    "tiny-plugin", str(Path(__file__).parent / "checkpoint"), "encoder", description="a model that the plugin ships"
)
