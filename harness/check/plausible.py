"""Labels, tags and words that cannot mean what a task means: counts alone do not show it.

Where no score is possible these are errors, and a run does not begin; elsewhere they are warnings, with what to write.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from html import unescape

from harness import languages
from harness.check.labels import as_text, spot
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import ERROR, NOTE, WARNING, Finding, first, some
from harness.safe_text import SHOWN as LONGEST
from harness.safe_text import listed, short
from harness.task import Task
from harness.task_data import MOST_PHENOMENA, TaskData

Counts = Mapping[str, Mapping[str, int]]  # label (or type of entity) → split → how many

# Labels of rows on which annotators did not agree, or that nobody labelled.
NO_LABEL = ("-", "--", "?", "nan", "null", "n/a", "#n/a", "<na>", "na", "nil", "undefined", "unlabeled", "unlabelled", "no label",
            "no_label", "not labeled", "not labelled", "missing", "none")  # fmt: skip
MINUS = ("-1", "-100")
JUDGING = ({"-1", "1"}, {"-1", "0", "1"})  # here -1 is a label like any other
# Letters of other scripts that look like Latin ones.
ALIKE = str.maketrans("аеорсухіјѕһԁАВЕКМНОРСТХІЈЅαορνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdABEKMHOPCTXIJSaopvABEZHIKMNOPTYX")
NOTATIONS = (("1", "0"), ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))  # ways to say yes and no
JOINTS = re.compile(r"\s*[,;|+&/#]\s*")
ENDLESS = 1000  # words of a sentence from which it is hardly one
SCRIPTS_OF = 200  # rows whose script is looked at
SHOWN = 30  # labels that are written out
MANY = 0.5  # labels per row from which they are hardly classes
FEW = 20  # rows with which that cannot be said
TOO_MANY = 0.5  # the share of tokens of one type that is hardly entities
STRAY, STRAYS, LARGE = 3, 3, 10  # rows below which a label is one; how many there may be; rows of each other label
SEVERAL = 0.02  # the share of words with blanks inside from which they are hardly words
COUNTED = 0.9  # of the sentences, whose words are numbers


def labels(counts: Counts, splits: Mapping[str, Sequence[Row]], task: Task, family: TaskFamily) -> Iterator[Finding]:
    """What is wrong with the names of classes, or of the types of entities, whatever the rows say.

    Args:
        counts: as `harness.check.labels.count` gives them; of a family whose `labels` are classes.
    """
    classes = family.stratum(splits["train"][0]) is not None
    yield from _unlike_train(counts, splits, classes, task.limit)
    names = list(counts)
    if not task.labels:
        yield from _variants(counts, classes)
    if not classes:
        return
    if not task.labels:
        yield from _notations(counts)
    pairs = any(len(family.key(row)) > 1 for row in splits["train"][:10])
    without = [name for name in names if _says_no_label(name, names, judging=not pairs)]
    for name in without:
        by_split = ", ".join(f"{split} {number:,}" for split, number in counts[name].items() if number)
        message = (
            f"the label {_shown(name)} of {some(sum(counts[name].values()), 'row')} ({by_split}) usually marks rows without an agreed "
            f"label; if it does here, leave them out, in a task file: drop_labels: [{json.dumps(name, ensure_ascii=False)}]"
        )
        yield Finding(WARNING, "unlabelled-rows", message, sum(counts[name].values()))
    yield from _strays(counts, splits, family)
    yield from _scores([name for name in names if name not in without], sum(map(len, splits.values())))
    yield from _joined(counts)


def tokens(splits: Mapping[str, Sequence[Row]]) -> Iterator[Finding]:
    """What is wrong with sentences of words and tags: words that count, single words, one type on nearly every token."""
    rows = [row for part in splits.values() for row in part if row.get("words")]
    if not rows or not all(isinstance(row["words"], list | tuple) for row in rows[:10]):
        return
    long = [row["words"] for row in rows if len(row["words"]) > 1]
    counted = sum(words[0] in ("0", "1") and _counts_up(words) for words in long)
    if counted and counted >= COUNTED * len(long):
        message = (
            f"the words of {some(counted, 'sentence')} count {', '.join(long[0][:3])}…, so they are no words; take them from another "
            "column: words: 1 under data: of a task file (format conll), or --column words=NAME for a table"
        )
        yield Finding(ERROR, "counted-words", message, counted)
        return
    if not long and len(rows) >= FEW:
        message = (
            f"each of the {len(rows):,} rows holds one word, so no entity is longer and no word has a neighbour; one sentence a row is "
            "needed: a list of words, or columns with a blank line after each sentence (format conll), or a table with a column "
            "that says to which sentence a word belongs (format tokens, sentence: NAME)"
        )
        yield Finding(ERROR, "one-word-rows", message, len(rows))
        return
    endless = [row for row in rows if len(row["words"]) > ENDLESS]
    if endless:
        message = (
            f"{some(len(endless), 'sentence')} of more than {ENDLESS:,} words, of which models read windows only: do blank lines between "
            "sentences lack?"
        )
        yield Finding(WARNING, "endless-sentences", message, len(endless), first(spot(row) for row in endless))
    blank = sum(not word.strip() for row in rows for word in row["words"])
    if blank:
        yield Finding(WARNING, "blank-words", f"{some(blank, 'word')} without text; models read nothing there, and its tag is scored all the same", blank)
    inner = sum(len(word.split()) > 1 for row in rows for word in row["words"])
    if inner > SEVERAL * sum(len(row["words"]) for row in rows):
        message = f"{some(inner, 'word')} with blanks inside: pieces of sentences are no words, and an entity covers all of a piece or nothing"
        yield Finding(WARNING, "words-with-blanks", message, inner)
    types = Counter(tag[2:] or tag for row in rows for tag in row.get("tags", ()) if tag != "O")
    number = sum(len(row["words"]) for row in rows)
    for kind, count in types.most_common(1):
        if count > TOO_MANY * number and number >= FEW:
            message = (
                f"{count / number:.0%} of the words are of the type {_shown(kind)}; if it stands for no entity, it must be written O "
                f"(in a task file labels: {{{json.dumps(kind, ensure_ascii=False)}: O, …}} with every tag), and if most words are names, all is well"
            )
            yield Finding(WARNING, "one-type", message, count)


def language_options(splits: Mapping[str, Sequence[Row]], task: Task, family: TaskFamily) -> Iterator[Finding]:
    """Options that name a language: how they are read, and whether the texts can be in it."""
    sample = [(row, family.texts(row)) for row in splits["train"][:SCRIPTS_OF]]
    for option, valid in family.option_values.items():
        if valid != LANGUAGE or option not in task.options:
            continue
        code, side = task.options[option], option.removesuffix(f"_{LANGUAGE}")
        if read := languages.reading_note(code):
            yield Finding(NOTE, "language-reading", f"{option}: {read}")
        told = [as_text(value) for row, texts in sample for name, value in ({side: row.get(side, "")} if side in family.columns else texts).items()]
        if script := languages.unexpected_script(code, told):
            message = f"{option} is {languages.short(str(code))}, but the texts are in {script}: is it the right code? It decides how words are counted"
            yield Finding(WARNING, "language-script", message, len(sample))


def reserved(data: TaskData, task: Task) -> Iterator[Finding]:
    """Columns that decide something by their names alone."""
    for name, values in data.reserved.items():
        undo = f"`{name}: null` under `columns` of a task file undoes it"
        if name == "group" and "grouped by" in data.rule:
            yield Finding(
                NOTE,
                "reserved-column",
                f"rows of a group ({values:,} values of the column 'group') stay together; {undo}",
                values,
            )
        elif name == "group" and "too few" in data.rule:
            message = f"the column 'group' has {values:,} values, too few to keep its rows together, so splits go by rows; `group: group` under `columns` of a task file insists"
            yield Finding(NOTE, "reserved-column", message, values)
        elif name == "phenomenon" and values > MOST_PHENOMENA:
            message = f"the column 'phenomenon' has {values:,} values, too many for scores of each; it is not used"
            yield Finding(NOTE, "reserved-column", message, values)
        elif name == "phenomenon":
            message = f"scores are given for each value of the column 'phenomenon' ({values:,}) as well; {undo}"
            yield Finding(NOTE, "reserved-column", message, values)


def _unlike_train(
    counts: Counts, splits: Mapping[str, Sequence[Row]], classes: bool, limit: int | None
) -> Iterator[Finding]:
    """Splits of which no model could get a row right."""
    train = [name for name, by_split in counts.items() if by_split["train"]]
    for split in ("validation", "test"):
        there = [name for name, by_split in counts.items() if by_split[split]]
        rows = len(splits[split])
        if not train or any(name in train for name in there):
            continue
        if not there:
            level = ERROR if split == "test" else WARNING
            message = f"{split} has no entity in {some(rows, 'row')}, so every score on it is 0; are its tags hidden? Leave it out, and it is cut from train"
            yield Finding(level, "labels-unlike-train", message, rows)
        elif classes and all(_says_no_label(name, [*train, name], judging=False) for name in there):
            message = (
                f"{split} has no labels ({', '.join(map(_shown, there))} in all {rows:,} rows): leave it out of the task file's `files`, "
                "and it is cut from train"
            )
            yield Finding(ERROR, "labels-unlike-train", message, rows)
        else:
            same = {canonical(name) for name in there} & {canonical(name) for name in train}
            alike = "; these look like the same" if same else ""
            cure = ""
            if same:
                first = {canonical(name): name for name in reversed(train)}
                pairs = [f"{_key(name)}: {_key(first.get(canonical(name), name))}" for name in [*train, *there]]
                cure = f": in a task file labels: {{{', '.join(pairs[:SHOWN])}}}"
            message = (
                f"no {'label' if classes else 'type of entity'} of {split} is in train, so every score on it is 0: train has "
                f"{listed(map(_shown, train))}; {split} has {listed(map(_shown, there))}{alike}{cure or '; write them alike'}{', or raise the limit' if limit and not same else ''}"
            )
            yield Finding(ERROR, "labels-unlike-train", message, rows)


def _variants(counts: Counts, classes: bool) -> Iterator[Finding]:
    """Labels that a person would take for one: other case, width, invisible characters, look-alikes, forms of a number."""
    same: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        same[canonical(name)].append(name)

    def rank(name: str) -> tuple[bool, int]:  # the one that the others become: plain, and of the most rows
        return _shown(name) != name, -sum(counts[name].values())

    groups = [sorted(names, key=rank) for names in same.values() if len(names) > 1]
    if not groups:
        return
    told = "; ".join(", ".join(f"{_shown(name)} {sum(counts[name].values()):,}" for name in names) for names in groups)
    best = {name: names[0] for names in groups for name in names}
    pairs = [(name, best.get(name, name)) for name in counts]
    if not classes:  # there every tag is named
        pairs = [("O", "O"), *((f"{letter}-{raw}", f"{letter}-{name}") for raw, name in pairs for letter in "BI")]
    lines = [f"{_key(raw)}: {_key(name)}" for raw, name in pairs]
    message = f"labels that look the same are counted as different ones: {told}; to make them one write in a task file labels: {{{', '.join(lines[:SHOWN])}}}"
    yield Finding(WARNING, "label-variants", message, sum(map(len, groups)))


def _notations(counts: Counts) -> Iterator[Finding]:
    """Labels that say yes and no in two ways, such as 0, 1 and False."""
    there = {name.casefold() for name in counts}
    used = [notation for notation in NOTATIONS if there & set(notation)]
    if len(used) > 1 and there <= {name for notation in used for name in notation}:
        best = max(used, key=lambda notation: sum(sum(counts[name].values()) for name in counts if name.casefold() in notation))
        same = {name: next((one for one in counts if one.casefold() == best[place]), best[place]) for notation in used for place, name in enumerate(notation)}
        lines = [f"{_key(name)}: {_key(same[name.casefold()])}" for name in counts]
        message = f"the labels {listed(map(_shown, counts))} say yes and no in {len(used)} ways; if they mean the same, write in a task file labels: {{{', '.join(lines)}}}"
        yield Finding(WARNING, "label-notations", message, len(counts))


def _strays(counts: Counts, splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Iterator[Finding]:
    """Classes of a row or two beside large ones: a second header, a title, a line of totals."""
    total = {name: sum(by_split.values()) for name, by_split in counts.items()}
    strays = [name for name, number in total.items() if number < STRAY]
    if not strays or len(strays) > STRAYS or min((total[name] for name in total if name not in strays), default=0) < LARGE:
        return
    rows = [row for part in splits.values() for row in part if family.stratum(row) in strays]
    message = (
        f"{some(len(strays), 'label')} of {some(len(rows), 'row')} only ({listed(map(_shown, strays))}), where every other label has {LARGE} rows or "
        "more: is it a second header, a title, or a line of totals?"
    )
    yield Finding(WARNING, "stray-labels", message, len(rows), tuple(spot(row) for row in rows))


def _scores(names: Sequence[str], rows: int) -> Iterator[Finding]:
    numbers = [number for name in names if (number := _number(name)) is not None]
    if len(names) > 2 and len(numbers) == len(names) and any(number % 1 for number in numbers):
        message = (
            f"the labels are numbers with fractions ({len(names)} different ones): this looks like a score to predict, for which bench has "
            f"no family; as classes {_shown(names[0])} and {_shown(names[1])} are as unlike as any others"
        )
        yield Finding(WARNING, "scores-as-labels", message, len(names))
    elif rows >= FEW and len(names) >= MANY * rows:
        message = f"{len(names):,} different labels in {rows:,} rows: hardly any comes again, so there is little to learn; is it the right column?"
        yield Finding(WARNING, "many-labels", message, len(names))


def _joined(counts: Counts) -> Iterator[Finding]:
    """Labels that are several: `joy,anger` where there are rows of `joy`, or of `joy,fear`."""
    parts = {name: JOINTS.split(name) for name in counts if _number(name) is None}
    single = {name for name, some_ in parts.items() if len(some_) == 1}
    several = {
        name: some_ for name, some_ in parts.items() if len(some_) > 1 and all(some_) and len(set(some_)) == len(some_)
    }
    used = Counter(part for some_ in several.values() for part in some_)
    joined = [name for name, some_ in several.items() if all(part in single or used[part] > 1 for part in some_)]
    if joined and (len(joined) > 1 or all(part in single for part in several[joined[0]])):
        number = sum(sum(counts[name].values()) for name in joined)
        message = (
            f"{some(len(joined), 'label')} of {some(number, 'row')} look like several in one ({listed(map(_shown, joined), most=3)}); bench "
            "gives a text one label: each combination is a class of its own here"
        )
        yield Finding(WARNING, "joined-labels", message, number)


def canonical(label: str) -> str:
    """A label as a person reads it: compatible forms, case, invisible characters, blanks and look-alike letters do not count, and
    `1`, `01`, `1.0` and `1,0` are one number, and `R&amp;D` is `R&D`.
    """
    text = unicodedata.normalize("NFKC", unescape(label) if "&" in label else label)
    text = "".join(
        letter for letter in text if unicodedata.category(letter) not in ("Cf", "Cc", "Mn") or letter.isspace()
    )
    number = _number(text)
    if number is not None:
        return str(number.normalize() + 0)
    if re.search("[A-Za-z]", text) or (len(text.translate(ALIKE)) and text.translate(ALIKE).isascii()):
        text = text.translate(ALIKE)
    return " ".join(re.split(r"[\s_]+", text.casefold().strip()))


def _number(text: str) -> Decimal | None:
    """A label as a number; the comma of `3,5` is decimal, that of `1,000` is not."""
    if re.fullmatch(r"\s*[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d{0,30})?\s*", text):
        text = text.replace(",", "")
    if not re.fullmatch(r"\s*[-+]?(\d{1,30}([.,]\d{0,30})?|[.,]\d{1,30})\s*", text):
        return None
    try:
        return Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None


def _says_no_label(name: str, others: Iterable[str], judging: bool) -> bool:
    """Whether a label stands for none; `judging`: -1 may be a label like any other, beside 1, or 0 and 1."""
    low = name.strip().casefold()
    if low == "none":
        return name == "None"  # as Python prints it; `none` and `NONE` are classes of some data sets
    if low in NO_LABEL or (not re.sub(r"[\W_]+", "", name) and len(name.strip()) <= 1 and name.strip() in "-?."):
        return True
    number = _number(name)
    if low.lstrip("+-") in ("inf", "infinity"):
        return all(_number(other) is not None for other in others if other != name)
    if number is None or str(number.normalize()) not in MINUS:
        return False
    rest = [_number(other) for other in others]
    if None in rest:  # the others are words
        return True
    values = {str(one.normalize() + 0) for one in rest if one is not None}
    if judging and values in JUDGING:
        return False
    return all(one >= 0 or str(one.normalize()) in MINUS for one in rest if one is not None)


def _counts_up(words: Sequence[str]) -> bool:
    return all(word.isdecimal() for word in words) and [int(word) for word in words] == list(
        range(int(words[0]), int(words[0]) + len(words))
    )


def _shown(label: str) -> str:
    """A label in a message: what cannot be seen is written as an escape."""
    if not label.isascii() or not label.isprintable() or label != label.strip():
        mixed = label.translate(ALIKE) != label and re.search("[A-Za-z]", label)
        if mixed or label != label.strip() or not label.isprintable() or unicodedata.normalize("NFKC", label) != label:
            return json.dumps(label if len(label) <= LONGEST else short(label))  # escapes all that acts by itself
    return short(label)


def _key(label: str) -> str:
    """A label in quotes, as YAML takes it; one that is too long for a message is cut."""
    shown = _shown(label)
    return shown if shown != label and len(label) <= LONGEST else json.dumps(short(label), ensure_ascii=False)
