"""One metric over parts of the test rows: by length, by domain, by whatever names each row's slice."""

from collections import defaultdict
from collections.abc import Callable, Sequence


def by_slice(
    compute: Callable[..., dict], predictions: Sequence, references: Sequence, slices: Sequence[str], **options
) -> dict[str, dict]:
    """Score every slice by itself: `{slice: {"rows": number of rows, **metrics}}`, in the slices' alphabetical order.

    `slices` names one slice a row; `compute` is a metric's `compute`, called with `predictions`, `references` and
    `options`. Raises ValueError where the three differ in length.

    Corpus scores (BLEU, F1 over entities) of slices do not average to the whole's. Classification's `labels` counts a
    label that a slice lacks as 0; leave the option out to average over the labels a slice has.
    """
    rows_of = defaultdict(list)
    for prediction, reference, name in zip(predictions, references, slices, strict=True):
        rows_of[name].append((prediction, reference))
    scores = {}
    for name, rows in sorted(rows_of.items()):
        part_predictions, part_references = map(list, zip(*rows, strict=True))
        metrics = compute(predictions=part_predictions, references=part_references, **options)
        scores[name] = {"rows": len(rows), **metrics}
    return scores
