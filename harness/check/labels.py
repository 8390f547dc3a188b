"""Check labels: how many rows have each, and whether their names can mean classes or entity types."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from html import unescape

from harness.check.repeats import row_location
from harness.family import Row, TaskFamily
from harness.finding import ERROR, WARNING, Finding, some
from harness.safe_text import SHOWN as MAX_LENGTH
from harness.safe_text import listed, short
from harness.task import Task

Counts = dict[str, dict[str, int]]  # label or entity type → split → number of rows or entities

# Labels of rows that nobody labelled, or on which annotators did not agree.
NO_LABEL = ("-", "--", "?", "nan", "null", "n/a", "#n/a", "<na>", "na", "nil", "undefined", "unlabeled", "unlabelled", "no label",
            "no_label", "not labeled", "not labelled", "missing", "none")  # fmt: skip
NO_LABEL_NUMBERS = ("-1", "-100")
POLARITY = ({"-1", "1"}, {"-1", "0", "1"})  # sets of labels in which -1 is a class
YES_NO = (("1", "0"), ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
# Cyrillic and Greek letters that look like Latin ones.
LOOKALIKES = str.maketrans("аеорсухіјѕһԁАВЕКМНОРСТХІЈЅαορνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdABEKMHOPCTXIJSaopvABEZHIKMNOPTYX")
SEPARATORS = re.compile(r"\s*[,;|+&/#]\s*")  # between labels that are joined in one
MAX_PAIRS = 30  # pairs of a `labels` mapping in a message
MAX_LABELS_PER_ROW, MIN_ROWS = 0.5, 20  # more labels per row are hardly classes, given this many rows
# A label with fewer than STRAY_ROWS rows is stray if there are at most MAX_STRAYS of them, and others have LARGE rows or more.
STRAY_ROWS, MAX_STRAYS, LARGE = 3, 3, 10


def count_labels(splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Counts:
    """Count the labels (or entity types) of each split, the most frequent label first."""
    by_split = {split: Counter(kind for row in rows for kind in family.kinds(row)) for split, rows in splits.items()}
    total: Counter[str] = sum(by_split.values(), Counter())
    ranked = sorted(total, key=lambda name: (-total[name], name))
    return {name: {split: by_split[split][name] for split in by_split} for name in ranked}


def check_counts(counts: Counts, splits: Mapping[str, Sequence[Row]], task: Task, family: TaskFamily) -> Iterator[Finding]:
    """Find splits with a single class, labels that train lacks, and declared labels that no row has."""
    classes = {split: {family.stratum(row) for row in rows} - {None} for split, rows in splits.items()}
    for split, names in classes.items():
        if len(names) == 1:
            (name,) = names
            message = f"{split} has one label only ({short(str(name))})"
            if split == "train":
                yield Finding(ERROR, "one-class", f"{message}; a classifier needs two or more", len(splits[split]))
            elif name in classes["train"]:
                yield Finding(WARNING, "one-class", f"{message}; its score says little", len(splits[split]))
    for split in splits:
        if not any(by_split[split] and by_split["train"] for by_split in counts.values()):
            continue  # nothing in common with train: see `_check_against_train`
        new = [name for name, by_split in counts.items() if by_split[split] and not by_split["train"]]
        if new:
            number = sum(counts[name][split] for name in new)
            what, it = ("1 kind", "it") if len(new) == 1 else (f"{len(new)} kinds", "them")
            message = f"{split} has {what} that train lacks, so no model can learn {it}: {listed(new)} ({number:,} in all)"
            yield Finding(WARNING, "unseen-labels", message, number)
    if any(classes.values()):
        unused = [name for name in task.label_order if name not in counts]
        if unused:
            yield Finding(WARNING, "unused-labels", f"declared, but no row has it: {listed(unused)}", len(unused))


def check_names(counts: Counts, splits: Mapping[str, Sequence[Row]], task: Task, family: TaskFamily) -> Iterator[Finding]:
    """Find labels whose names show that they are no classes (or entity types), or that they mean the same as others.

    Without a label in common with train no score is possible, which is an error; everything else is a warning.
    """
    classes = family.stratum(splits["train"][0]) is not None
    yield from _check_against_train(counts, splits, classes, task.limit)
    if not task.labels:
        yield from _check_variants(counts, classes)
    if not classes:
        return
    if not task.labels:
        yield from _check_notations(counts)
    pairs = any(len(family.key(row)) > 1 for row in splits["train"][:10])
    missing = [name for name in counts if _means_no_label(name, counts, polarity=not pairs)]
    for name in missing:
        number = sum(counts[name].values())
        by_split = ", ".join(f"{split} {count:,}" for split, count in counts[name].items() if count)
        message = (
            f"the label {shown(name)} of {some(number, 'row')} ({by_split}) usually marks rows without an agreed "
            f"label; if it does here, leave them out, in a task file: drop_labels: [{json.dumps(name, ensure_ascii=False)}]"
        )
        yield Finding(WARNING, "unlabelled-rows", message, number)
    yield from _check_strays(counts, splits, family)
    yield from _check_scores([name for name in counts if name not in missing], sum(map(len, splits.values())))
    yield from _check_joined(counts)


def _check_against_train(
    counts: Counts, splits: Mapping[str, Sequence[Row]], classes: bool, limit: int | None
) -> Iterator[Finding]:
    """Find splits that have no label in common with train."""
    train = [name for name, by_split in counts.items() if by_split["train"]]
    for split in ("validation", "test"):
        names = [name for name, by_split in counts.items() if by_split[split]]
        rows = len(splits[split])
        if not train or any(name in train for name in names):
            continue
        if not names:
            level = ERROR if split == "test" else WARNING
            message = (
                f"{split} has no entity in {some(rows, 'row')}, so every score on it is 0; are its tags hidden? Leave it out, "
                "and it is cut from train"
            )
            yield Finding(level, "labels-unlike-train", message, rows)
        elif classes and all(_means_no_label(name, [*train, name], polarity=False) for name in names):
            message = (
                f"{split} has no labels ({', '.join(map(shown, names))} in all {rows:,} rows): leave it out of the task file's `files`, "
                "and it is cut from train"
            )
            yield Finding(ERROR, "labels-unlike-train", message, rows)
        else:
            first = {canonical(name): name for name in reversed(train)}
            if first.keys() & {canonical(name) for name in names}:
                pairs = {name: first.get(canonical(name), name) for name in [*train, *names]}
                advice = f"; these look like the same: in a task file {_labels_mapping(pairs)}"
            else:
                advice = "; write them alike" + (", or raise the limit" if limit else "")
            message = (
                f"no {'label' if classes else 'type of entity'} of {split} is in train, so every score on it is 0: train has "
                f"{listed(map(shown, train))}; {split} has {listed(map(shown, names))}{advice}"
            )
            yield Finding(ERROR, "labels-unlike-train", message, rows)


def _check_variants(counts: Counts, classes: bool) -> Iterator[Finding]:
    """Find labels that differ only in case, width, invisible or lookalike characters, or notation of a number."""
    same: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        same[canonical(name)].append(name)

    def rank(name: str) -> tuple[bool, int]:  # the others are mapped to the plainest and most frequent
        return shown(name) != name, -sum(counts[name].values())

    groups = [sorted(names, key=rank) for names in same.values() if len(names) > 1]
    if not groups:
        return
    listing = "; ".join(", ".join(f"{shown(name)} {sum(counts[name].values()):,}" for name in names) for names in groups)
    best = {name: names[0] for names in groups for name in names}
    pairs = {name: best.get(name, name) for name in counts}
    if not classes:  # entity types: the mapping is of tags
        pairs = {"O": "O", **{f"{prefix}-{raw}": f"{prefix}-{name}" for raw, name in pairs.items() for prefix in "BI"}}
    message = (
        f"labels that look the same are counted as different ones: {listing}; to make them one write in a task file "
        f"{_labels_mapping(pairs)}"
    )
    yield Finding(WARNING, "label-variants", message, sum(map(len, groups)))


def _check_notations(counts: Counts) -> Iterator[Finding]:
    """Find labels that say yes and no in several ways, such as 0, 1 and False."""
    folded = {name.casefold(): name for name in reversed(counts)}
    used = [notation for notation in YES_NO if folded.keys() & set(notation)]
    if len(used) < 2 or not folded.keys() <= {name for notation in used for name in notation}:
        return
    best = max(used, key=lambda notation: sum(sum(counts[name].values()) for name in counts if name.casefold() in notation))
    target = {name: folded.get(same, same) for notation in used for name, same in zip(notation, best, strict=True)}
    message = (
        f"the labels {listed(map(shown, counts))} say yes and no in {len(used)} ways; if they mean the same, write in a task file "
        f"{_labels_mapping({name: target[name.casefold()] for name in counts})}"
    )
    yield Finding(WARNING, "label-notations", message, len(counts))


def _check_strays(counts: Counts, splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Iterator[Finding]:
    """Find classes of a row or two beside large ones: a second header, a title, a line of totals."""
    total = {name: sum(by_split.values()) for name, by_split in counts.items()}
    strays = [name for name, number in total.items() if number < STRAY_ROWS]
    smallest_other = min((number for number in total.values() if number >= STRAY_ROWS), default=0)
    if not strays or len(strays) > MAX_STRAYS or smallest_other < LARGE:
        return
    rows = [row for part in splits.values() for row in part if family.stratum(row) in strays]
    message = (
        f"{some(len(strays), 'label')} of {some(len(rows), 'row')} only ({listed(map(shown, strays))}), where every other label has {LARGE} rows or "
        "more: is it a second header, a title, or a line of totals?"
    )
    yield Finding(WARNING, "stray-labels", message, len(rows), tuple(row_location(row) for row in rows))


def _check_scores(names: Sequence[str], rows: int) -> Iterator[Finding]:
    """Find labels that look like scores of a regression, and columns in which hardly any label occurs twice."""
    numbers = [number for name in names if (number := _number(name)) is not None]
    if len(names) > 2 and len(numbers) == len(names) and any(number % 1 for number in numbers):
        message = (
            f"the labels are numbers with fractions ({len(names)} different ones): this looks like a score to predict, for which bench has "
            f"no family; as classes {shown(names[0])} and {shown(names[1])} are as unlike as any others"
        )
        yield Finding(WARNING, "scores-as-labels", message, len(names))
    elif rows >= MIN_ROWS and len(names) >= MAX_LABELS_PER_ROW * rows:
        message = (
            f"{len(names):,} different labels in {rows:,} rows: hardly any comes again, so there is little to learn; "
            "is it the right column?"
        )
        yield Finding(WARNING, "many-labels", message, len(names))


def _check_joined(counts: Counts) -> Iterator[Finding]:
    """Find labels that are several in one: `joy,anger`, if other rows have `joy` or `joy,fear`."""
    parts = {name: SEPARATORS.split(name) for name in counts if _number(name) is None}
    single = {name for name, pieces in parts.items() if len(pieces) == 1}
    several = {
        name: pieces for name, pieces in parts.items() if len(pieces) > 1 and all(pieces) and len(set(pieces)) == len(pieces)
    }
    used = Counter(piece for pieces in several.values() for piece in pieces)
    joined = [name for name, pieces in several.items() if all(piece in single or used[piece] > 1 for piece in pieces)]
    if joined and (len(joined) > 1 or all(piece in single for piece in several[joined[0]])):
        number = sum(sum(counts[name].values()) for name in joined)
        message = (
            f"{some(len(joined), 'label')} of {some(number, 'row')} look like several in one ({listed(map(shown, joined), most=3)}); bench "
            "gives a text one label: each combination is a class of its own here"
        )
        yield Finding(WARNING, "joined-labels", message, number)


def canonical(label: str) -> str:
    """Reduce a label to what a person reads.

    Case, width, invisible characters, blanks and lookalike letters do not count; `1`, `01`, `1.0` and `1,0` are one number, and
    `R&amp;D` is `R&D`.
    """
    text = unicodedata.normalize("NFKC", unescape(label) if "&" in label else label)
    text = "".join(
        letter for letter in text if unicodedata.category(letter) not in ("Cf", "Cc", "Mn") or letter.isspace()
    )
    number = _number(text)
    if number is not None:
        return str(number.normalize() + 0)
    latin = text.translate(LOOKALIKES)
    if re.search("[A-Za-z]", text) or latin.isascii():
        text = latin
    return " ".join(re.split(r"[\s_]+", text.casefold().strip()))


def _number(text: str) -> Decimal | None:
    """Read a label as a number, if it is one; the comma of `3,5` is decimal, that of `1,000` is not."""
    if re.fullmatch(r"\s*[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d{0,30})?\s*", text):
        text = text.replace(",", "")
    if not re.fullmatch(r"\s*[-+]?(\d{1,30}([.,]\d{0,30})?|[.,]\d{1,30})\s*", text):
        return None
    try:
        return Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None


def _means_no_label(name: str, names: Iterable[str], polarity: bool) -> bool:
    """Whether a label marks rows without one.

    Args:
        names: all labels.
        polarity: whether -1 may be a class beside 1, or beside 0 and 1.
    """
    folded = name.strip().casefold()
    if folded == "none":
        return name == "None"  # as Python prints it; `none` and `NONE` are classes of some data sets
    if folded in NO_LABEL or name.strip() in ("", "."):
        return True
    if folded.lstrip("+-") in ("inf", "infinity"):
        return all(_number(other) is not None for other in names if other != name)
    number = _number(name)
    if number is None or str(number.normalize()) not in NO_LABEL_NUMBERS:
        return False
    numbers = []
    for other in names:
        if (number := _number(other)) is None:
            return True  # others are words
        numbers.append(number)
    if polarity and {str(number.normalize() + 0) for number in numbers} in POLARITY:
        return False
    return all(number >= 0 or str(number.normalize()) in NO_LABEL_NUMBERS for number in numbers)


def shown(label: str) -> str:
    """Format a label for a message; characters that cannot be seen, or look like others, are escaped."""
    if not label.isascii() or not label.isprintable() or label != label.strip():
        mixed = label.translate(LOOKALIKES) != label and re.search("[A-Za-z]", label)
        if mixed or label != label.strip() or not label.isprintable() or unicodedata.normalize("NFKC", label) != label:
            return json.dumps(label if len(label) <= MAX_LENGTH else short(label))
    return short(label)


def _labels_mapping(pairs: Mapping[str, str]) -> str:
    """Write raw label → name as the `labels` of a task file."""
    lines = [f"{_quoted(raw)}: {_quoted(name)}" for raw, name in pairs.items()]
    return f"labels: {{{', '.join(lines[:MAX_PAIRS])}}}"


def _quoted(label: str) -> str:
    escaped = shown(label)
    return escaped if escaped != label and len(label) <= MAX_LENGTH else json.dumps(short(label), ensure_ascii=False)
