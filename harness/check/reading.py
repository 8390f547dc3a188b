"""Explain how the data were read: what the readers report, languages in options, and columns with a reserved name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness import languages
from harness.check.repeats import as_text
from harness.family import LANGUAGE, Row, TaskFamily
from harness.finding import NOTE, WARNING, Finding, first
from harness.task import Task
from harness.task_data import MOST_PHENOMENA, TaskData

# A count in a reader's report → the code and message of a warning. A reader may add `NAME_at`, the places (`file:line`).
READER_WARNINGS = {
    "irregular": ("irregular-tags", "entities break the rules of the tagging scheme; read as conlleval reads them"),
    "label_spellings": (
        "label-spellings",
        "labels are spelled otherwise than in train or before (such as 1.0 for 1, or True for true) and are read as one",
    ),
    "surrogates": ("half-characters", "values held half of a surrogate pair, which is now U+FFFD"),
    "impossible_with_answers": (
        "impossible-with-answers",
        "questions are marked as impossible and have answers all the same; they are read as questions without an answer",
    ),
    "negative_starts": (
        "negative-starts",
        "answers have a text and a negative start, which says that there is none; their questions are read as without it",
    ),
    "misaligned": ("misaligned-answers", "answers do not stand at their offset in the file"),
    "repaired": ("repaired-answers", "of these were moved to the one place where their text stands"),
    "differs": (
        "differing-answers",
        "answers have another text than their span cuts out of the context; the span counts",
    ),
    "clipped": ("cut-answers", "answers ran beyond the end of their context and were cut there"),
    "swallowed": (
        "swallowed-rows",
        "cells of several lines may have swallowed rows: each line has the delimiters of a row; is a quotation mark without its partner?",
    ),
    "equal_splits": (
        "equal-splits",
        "files hold the same rows as one of another split, so a score on them says what was learned by heart",
    ),
    "equal_files": ("equal-files", "files hold the same rows as another one, so each of these rows counts twice"),
    "cut_quotes": (
        "cut-quotes",
        "rows have a cell that begins with a curly quotation mark and ends in another column: a delimiter has cut it in two",
    ),
    "curly_quotes": (
        "curly-quotes",
        "cells stand in curly quotation marks, which are kept as text; if they are meant as quotes, write straight ones",
    ),
    "spaced_quotes": (
        "spaced-quotes",
        "cells have a blank before their quotation mark, which so is a part of the text; delete the blanks",
    ),
    "single_quotes": (
        "single-quotes",
        'cells stand in single quotes, which are kept as text; if they are meant as quotes, say in a task file: quote: "\'"',
    ),
    "kept_quotes": (
        "kept-quotes",
        "cells stand in quotes, which are kept as text since other cells are written otherwise; if no quote is meant as text, mend "
        "those and say quoting: minimal",
    ),
    "several_places": ("ambiguous-answers", "answers without a place occur more than once; the first one was taken"),
    "incomplete": ("incomplete-units", "units lack one of the languages and were left out"),
    "unused_data": ("unused-files", "files or folders in the data's folder look like data and are not read"),
    "comments_like_tokens": ("dropped-tokens", "of the comment lines that were skipped look like tokens with a tag"),
    "other_variants": (
        "other-variants",
        "segments are of a variant of a language whose very code is there too, and were left out; name the variant to read it",
    ),
    "other_sources": ("other-sources", "segments are further sources of their unit and were left out"),
    "disagree": ("disagreeing-annotators", "questions have an answer for some annotators and none for others"),
}
# A fact in a reader's report → how a line about the data says it.
READER_NOTES = {
    "first_line": "the first line says {}",
    "delimiter": "delimiter {}",
    "empty_rows": "{} empty rows, skipped",
    "quoted": "{} cells in quotes, read without these",
    "kept_quotes": "warning: {} cells in quotes, which stay part of the text",
    "single_quotes": "warning: {} cells in single quotes, which stay part of the text",
    "swallowed": "warning: {} cells that may have swallowed rows, by a quotation mark without its partner",
    "unused": "{} files or folders beside the data, not read",
    "named_twice": "{} files named twice, read once",
    "equal_splits": "warning: {} files with the same rows as one of another split",
    "equal_files": "warning: {} files with the same rows as another one",
    "repeated_headers": "{} repeated headers, skipped",
    "cut_quotes": "warning: {} rows with a cell that curly quotes enclose and a delimiter cuts in two",
    "curly_quotes": "warning: {} cells in curly quotes, which stay part of the text",
    "spaced_quotes": "warning: {} cells with a blank before their quotation mark, which stays part of the text",
    "dropped": "{} rows dropped by drop_labels",
    "orient": "JSON of a data frame, orient {}",
    "sheet": "the first sheet, {}",
    "scheme": "tags in scheme {}",
    "decoded": "{} values of bytes, read as UTF-8",
    "printed": "{} printed lists or objects, read as such",
    "single_lists": "{} lists of one label, read as that label",
    "trimmed_labels": "{} labels with blanks around them, left out",
    "label_spellings": "{} labels in another spelling of the same number or truth value",
    "surrogates": "{} values with half of a surrogate pair, now U+FFFD",
    "truth_values": "{} truth values written as text or number",
    "impossible_with_answers": "{} questions with answers that are marked as impossible, read as without",
    "negative_starts": "{} answers with a text and a negative start, left out",
    "offsets": "offsets count {}, converted",
    "unplaced": "{} answers that stand nowhere, left out of training",
    "comments": "{} lines of comments, left out",
    "other_tags": "{}",
    "finer_labels": "{} finer labels behind a colon, left out",
    "codes": "{} codes of another program, left out",
    "other_languages": "other languages left out: {}",
    "other_variants": "{} segments of other variants, left out",
    "documents": "{} documents, kept together",
    "unanswerable": "{} questions without answer",
    "put_together": "{} sentences, put together from a word a row",
    "wordless": "{} rows with a tag but no word, left out",
    "merged": "{} questions of several annotators, all their answers kept",
}
USUAL = ("iob2",)  # not worth a note
SCHEME_WARNINGS = {"io": "the tags are IO: entities of one type that touch each other are read as one"}
SAMPLE = 200  # rows whose script is checked


def reader_warnings(reports: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Explain the readers' reports: split → report."""
    for split, report in reports.items():
        for name, (code, meaning) in READER_WARNINGS.items():
            number = report.get(name)
            if isinstance(number, int) and number:
                places = report.get(f"{name}_at") or ()
                yield Finding(WARNING, code, f"{split}: {number:,} {meaning}", number, first(map(str, places)))
        if report.get("other_tags"):
            message = (
                f"{split}: {report['other_tags']}; state `tags`, the number of the column, if another one is meant"
            )
            yield Finding(WARNING if report.get("poorer_tags") else NOTE, "other-tags", message)
        if report.get("offsets"):
            converted = report.get("converted", 0)
            message = f"{split}: the offsets of answers count {report['offsets']}; {converted:,} were converted"
            yield Finding(NOTE, "converted-offsets", message, converted)
    schemes = {str(report.get("scheme")) for report in reports.values() if report.get("scheme")}
    if len(schemes) > 1:
        message = f"splits differ in their tagging scheme ({', '.join(sorted(schemes))}); each was read by its own"
        yield Finding(WARNING, "several-schemes", message, len(schemes))
    for scheme in sorted(schemes & SCHEME_WARNINGS.keys()):
        yield Finding(WARNING, f"scheme-{scheme}", SCHEME_WARNINGS[scheme])


def reader_notes(reports: Iterable[Mapping[str, Any]]) -> list[str]:
    """Summarise the readers' reports: numbers are added up over the splits, words listed once."""
    reports, notes = list(reports), []
    for key, text in READER_NOTES.items():
        values = [report[key] for report in reports if report.get(key)]
        if not values:
            continue
        if all(isinstance(value, int) for value in values):
            notes.append(text.format(f"{sum(values):,}"))
        elif words := [word for word in dict.fromkeys(map(str, values)) if word not in USUAL]:
            notes.append(text.format(" and ".join(words)))
    return notes


def language_options(splits: Mapping[str, Sequence[Row]], task: Task, family: TaskFamily) -> Iterator[Finding]:
    """Say how options that name a language are read, and find texts in a script of another language."""
    rows = splits["train"][:SAMPLE]
    for option, valid in family.option_values.items():
        if valid != LANGUAGE or option not in task.options:
            continue
        code, column = task.options[option], option.removesuffix(f"_{LANGUAGE}")
        if reading := languages.reading_note(code):
            yield Finding(NOTE, "language-reading", f"{option}: {reading}")
        if column in family.columns:
            texts = [as_text(row.get(column, "")) for row in rows]
        else:
            texts = [as_text(value) for row in rows for value in family.texts(row).values()]
        if script := languages.unexpected_script(code, texts):
            message = (
                f"{option} is {languages.short(str(code))}, but the texts are in {script}: is it the right code? "
                "It decides how words are counted"
            )
            yield Finding(WARNING, "language-script", message, len(rows))


def reserved_columns(data: TaskData) -> Iterator[Finding]:
    """Say what columns do that count by their names alone."""
    for name, values in data.reserved.items():
        undo = f"`{name}: null` under `columns` of a task file undoes it"
        if name == "group" and "grouped by" in data.rule:
            message = f"rows of a group ({values:,} values of the column 'group') stay together; {undo}"
        elif name == "group" and "too few" in data.rule:
            message = (
                f"the column 'group' has {values:,} values, too few to keep its rows together, so splits go by rows; "
                "`group: group` under `columns` of a task file insists"
            )
        elif name == "phenomenon" and values > MOST_PHENOMENA:
            message = f"the column 'phenomenon' has {values:,} values, too many for scores of each; it is not used"
        elif name == "phenomenon":
            message = f"scores are given for each value of the column 'phenomenon' ({values:,}) as well; {undo}"
        else:
            continue
        yield Finding(NOTE, "reserved-column", message, values)
