"""Classification scores by scikit-learn: sentiment, topics, and whatever else has one label a row."""

import datasets
import evaluate
from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_recall_fscore_support

from harness.metrics.base import OfflineMetric

_CITATION = """\
@article{scikit-learn, title={Scikit-learn: Machine Learning in {P}ython}, author={Pedregosa, F. and others},
  journal={Journal of Machine Learning Research}, volume={12}, pages={2825--2830}, year={2011}}"""


class ClassificationMetric(OfflineMetric):
    """Accuracy, F1, precision, recall (0 to 1) and Matthews' correlation (-1 to 1) over label names.

    `compute(predictions=[str], references=[str], labels=None)`. `labels` is the task's whole list of label names: the
    macro averages then run over exactly these, for every model the same, and one that neither occurs nor is predicted
    counts 0. Without it they run over the labels seen in predictions or references, as scikit-learn does by default.
    A prediction outside `labels` (a generated answer that is no label) is simply wrong. Undefined ratios are 0, and so
    is Matthews' correlation where predictions or references are all alike.
    """

    def _info(self):
        return evaluate.MetricInfo(
            description=self.__class__.__doc__,
            citation=_CITATION,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _fault(self, prediction, reference):
        if not (isinstance(prediction, str) and isinstance(reference, str)):
            return f"labels must be names (str): {prediction!r}, {reference!r}"
        return None

    def _compute(self, predictions, references, labels=None):
        seen = set(references)
        if labels is not None and (unknown := sorted(seen.difference(labels))):
            # scikit-learn would leave these rows out of every average without a word.
            raise ValueError(f"{self.name}: references hold {unknown[:5]}, not among the labels {list(labels)}")

        result = {"accuracy": float(accuracy_score(references, predictions))}
        for average in ("macro", "weighted"):
            precision, recall, f1, _ = precision_recall_fscore_support(
                references, predictions, labels=labels, average=average, zero_division=0
            )
            result |= {
                f"{average}_precision": float(precision),
                f"{average}_recall": float(recall),
                f"{average}_f1": float(f1),
            }
        # One label on both sides: scikit-learn gives the same 0, with a warning about the shape of its matrix.
        constant = len(seen | set(predictions)) == 1
        result["matthews"] = 0.0 if constant else float(matthews_corrcoef(references, predictions))
        return result
