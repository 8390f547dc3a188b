"""Classification metrics by scikit-learn."""

import datasets
from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_recall_fscore_support

from harness.metrics.base import OfflineMetric


class ClassificationMetric(OfflineMetric):
    """Accuracy, F1, precision, recall (0 to 1) and Matthews' correlation (-1 to 1) over label names.

    `compute(predictions=[str], references=[str], labels=None)`. `labels` are all label names of the task. Macro
    averages are then taken over exactly these, the same for every model, and a label that neither occurs nor is
    predicted counts 0. Without `labels` they are taken over the labels in predictions or references, the default of
    scikit-learn. A prediction that is not in `labels` (such as generated text) is wrong. Undefined ratios are 0, and so
    is Matthews' correlation if all predictions or all references are equal.
    """

    _CITATION = """\
@article{scikit-learn, title={Scikit-learn: Machine Learning in {P}ython}, author={Pedregosa, F. and others},
  journal={Journal of Machine Learning Research}, volume={12}, pages={2825--2830}, year={2011}}"""
    _FEATURES = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})

    def _fault(self, prediction, reference):
        if not (isinstance(prediction, str) and isinstance(reference, str)):
            return f"labels must be names (str): {prediction!r}, {reference!r}"
        return None

    def _compute(self, predictions, references, labels=None):
        seen = set(references)
        if labels is not None and (unknown := sorted(seen.difference(labels))):
            # scikit-learn would silently leave these rows out of every average.
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
        # With a single label scikit-learn gives the same 0, with a warning about the shape of its matrix.
        constant = len(seen | set(predictions)) == 1
        result["matthews"] = 0.0 if constant else float(matthews_corrcoef(references, predictions))
        return result
