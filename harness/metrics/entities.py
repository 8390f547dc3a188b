"""Named-entity metrics by seqeval."""

from itertools import chain

import datasets
from seqeval.metrics.sequence_labeling import accuracy_score, get_entities, precision_recall_fscore_support
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_precision_recall_fscore_support
from seqeval.metrics.v1 import unique_labels
from seqeval.scheme import IOB2

from harness.errors import BenchError
from harness.metrics.base import OfflineMetric


class Entities(OfflineMetric):
    """Precision, recall and F1 of entities (micro-averaged, 0-1), token accuracy, and the scores of each entity type.

    `compute(predictions=[[tag]], references=[[tag]], mode="default")`, with tags in IOB2. An entity is correct if its
    type and both its ends are. `mode` decides how tags that break the scheme are read:

    - "default": an `I-` after `O` or after another type starts an entity, as in `conlleval`. Published CoNLL scores are
      computed like this, so this is the primary metric.
    - "strict": only `B-` starts an entity; a stray `I-` belongs to none. Models that break the scheme score lower.

    Undefined ratios (no entities, no tokens) are 0. `support` is the number of entities in the references.
    """

    _CITATION = """\
@inproceedings{tjong-kim-sang-de-meulder-2003, title={Introduction to the {CoNLL}-2003 Shared Task},
  author={Tjong Kim Sang, Erik F. and De Meulder, Fien}, booktitle={CoNLL}, year={2003}}
@misc{seqeval, title={{seqeval}: A Python framework for sequence labeling evaluation}, author={Nakayama, Hiroki},
  url={https://github.com/chakki-works/seqeval}, year={2018}}"""
    _TAGS = datasets.Sequence(datasets.Value("string"))
    _FEATURES = datasets.Features({"predictions": _TAGS, "references": _TAGS})

    def _fault(self, prediction, reference):
        if isinstance(prediction, str) or isinstance(reference, str):
            return "a row is a list of tags, not a string"
        if len(prediction) != len(reference):
            return f"{len(prediction)} predicted tags, {len(reference)} in the reference"
        return None

    def _compute(self, predictions, references, mode="default"):
        for tag in sorted(set(chain.from_iterable(chain(predictions, references)))):
            # Plain B and I are valid in data with a single, unnamed type, which seqeval calls "_".
            if tag not in ("O", "B", "I") and not (tag[:2] in ("B-", "I-") and tag[2:]):
                raise BenchError(
                    f"tag {tag!r} is not IOB2; valid are O, B-TYPE and I-TYPE; convert the data's tags first"
                )

        if mode == "default":
            types = sorted({type_ for type_, _, _ in get_entities(references) + get_entities(predictions)})
            score, options = precision_recall_fscore_support, {}
        elif mode == "strict":
            types = unique_labels(references, predictions, IOB2)
            score, options = strict_precision_recall_fscore_support, {"scheme": IOB2}
        else:
            raise BenchError(f"entity scoring mode {mode!r} is unknown; valid are 'default' and 'strict'")

        precision, recall, f1, support = score(references, predictions, average="micro", zero_division=0, **options)
        by_type = score(references, predictions, average=None, zero_division=0, **options)
        tokens = sum(map(len, references))
        return {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "accuracy": float(accuracy_score(references, predictions)) if tokens else 0.0,
            "support": int(support),
            "per_type": {
                type_: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
                for type_, p, r, f, s in zip(types, *by_type, strict=True)
            },
            "mode": mode,
            "scheme": "IOB2",
        }
