"""Metrics of extractive question answering, as computed by the SQuAD evaluation scripts."""

import datasets

from harness.errors import BenchError, unknown
from harness.metrics.answers import UNITS, best_match
from harness.metrics.base import OfflineMetric

VERSIONS = ("1.1", "2.0")


class Squad(OfflineMetric):
    """Exact match and F1 (0-100): the maximum over the gold answers of a question, averaged over questions.

    `compute(predictions, references, version=None, unit="word", no_answer_threshold=1.0)`, with predictions `{"id",
    "prediction_text", "no_answer_probability"}` (the probability is optional) and references `{"id", "answers":
    {"text": [str], "answer_start": [int]}}`. An unanswerable question has an empty `text`. Rows are paired by id. The
    published scripts differ, so the result names its `version`:

    - "1.1": every question has an answer. A gold answer that consists of articles or punctuation can match exactly, but
      its F1 is 0.
    - "2.0": such gold answers are dropped. If none is left, the correct answer is the empty string, with 100 in both
      metrics. Adds `HasAns_*` and `NoAns_*` (exact, f1, total). A no-answer probability above `no_answer_threshold`
      makes the prediction empty; at 1.0, the default of the script, it never does. The `best_*` values of the script
      are left out, because they choose the threshold on the rows that they score.

    None means "2.0" if a question is unanswerable, else "1.1". The unit "character" compares Han characters instead of
    words, as CMRC 2018 does (F1 over the longest common run); "any-character" also those of other scripts without
    blanks.
    """

    _CITATION = """\
@inproceedings{rajpurkar-etal-2016-squad, title={{SQ}u{AD}: 100,000+ Questions for Machine Comprehension of Text},
  author={Rajpurkar, Pranav and Zhang, Jian and Lopyrev, Konstantin and Liang, Percy}, booktitle={EMNLP}, year={2016}}
@inproceedings{rajpurkar-etal-2018-know, title={Know What You Don't Know: Unanswerable Questions for {SQ}u{AD}},
  author={Rajpurkar, Pranav and Jia, Robin and Liang, Percy}, booktitle={ACL}, year={2018}}
@inproceedings{cui-etal-2019-span, title={A Span-Extraction Dataset for {C}hinese Machine Reading Comprehension},
  author={Cui, Yiming and others}, booktitle={EMNLP-IJCNLP}, year={2019}}"""
    _TEXT = datasets.Value("string")
    _ANSWERS = datasets.Sequence({"text": _TEXT, "answer_start": datasets.Value("int64")})
    _FEATURES = datasets.Features(
        {
            "predictions": {"id": _TEXT, "prediction_text": _TEXT, "no_answer_probability": datasets.Value("float64")},
            "references": {"id": _TEXT, "answers": _ANSWERS},
        }
    )

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add one prediction and one reference per question; `compute` calls this, too."""
        # Arrow requires all keys in every row.
        predictions = predictions and [{"no_answer_probability": 0.0, **row} for row in predictions]
        super().add_batch(predictions=predictions, references=references, **kwargs)

    def _fault(self, prediction, reference):
        if not isinstance(prediction["prediction_text"], str):
            return f"prediction_text must be a string: {prediction!r}"
        if isinstance(reference["answers"]["text"], str):
            return f"answers.text must be a list of strings: {reference!r}"
        return None

    def _compute(self, predictions, references, version=None, unit="word", no_answer_threshold=1.0):
        by_id = {row["id"]: row for row in predictions}
        ids = {row["id"] for row in references}
        if len(by_id) < len(predictions) or len(ids) < len(references):
            raise ValueError(f"{self.name}: question ids are not unique")
        if missing := sorted(ids.difference(by_id)):
            raise ValueError(f"{self.name}: {len(missing)} questions have no prediction, among them {missing[:3]}")

        unanswerable = [row["id"] for row in references if not row["answers"]["text"]]
        version = version or ("2.0" if unanswerable else "1.1")
        if version not in VERSIONS:
            raise BenchError(f"SQuAD scoring version {version!r} is unknown; valid are {', '.join(VERSIONS)}")
        if version == "1.1" and unanswerable:
            raise BenchError(
                f"SQuAD 1.1 scores answerable questions only, but {len(unanswerable)} have no answer, "
                f"the first with id {unanswerable[0]!r}; use version 2.0"
            )

        if unit not in UNITS:
            raise unknown("unit", unit, UNITS)
        unit = UNITS[unit]
        scores = []  # (answerable, exact, f1) of each question, in the order of the references
        for row in references:
            golds, prediction = row["answers"]["text"], by_id[row["id"]]
            if version == "2.0" and prediction["no_answer_probability"] > no_answer_threshold:
                exact = f1 = float(not golds)
            else:
                exact, f1 = best_match(unit, prediction["prediction_text"], golds, version)
            scores.append((bool(golds), exact, f1))

        result = {
            "exact_match": _percent([exact for _, exact, _ in scores]),
            "f1": _percent([f1 for _, _, f1 in scores]),
        }
        result |= {"total": len(scores), "version": version, "unit": unit.name}
        if version == "2.0":
            for name, kind in (("HasAns", True), ("NoAns", False)):
                if part := [score for score in scores if score[0] is kind]:
                    result[f"{name}_exact"] = _percent([exact for _, exact, _ in part])
                    result[f"{name}_f1"] = _percent([f1 for _, _, f1 in part])
                    result[f"{name}_total"] = len(part)
        return result


def _percent(values: list[float]) -> float:
    return 100.0 * sum(values) / len(values)
