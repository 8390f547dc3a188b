"""What the reader of the files found and mended, as findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.finding import NOTE, WARNING, Finding, first

# A reader's count → what it means; other counts are shown as they are. A reader may add `NAME_at`, places (`file:line`).
MEANINGS = {
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
    "equal_splits": ("equal-splits", "files hold the same rows as one of another split, so a score on them says what was learned by heart"),
    "equal_files": ("equal-files", "files hold the same rows as another one, so each of these rows counts twice"),
    "cut_quotes": ("cut-quotes", "rows have a cell that begins with a curly quotation mark and ends in another column: a delimiter has cut it in two"),
    "curly_quotes": ("curly-quotes", "cells stand in curly quotation marks, which are kept as text; if they are meant as quotes, write straight ones"),
    "spaced_quotes": ("spaced-quotes", "cells have a blank before their quotation mark, which so is a part of the text; delete the blanks"),
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
ONE_SCHEME = {"io": "the tags are IO: entities of one type that touch each other are read as one"}


def reader(found: Mapping[str, Mapping[str, Any]]) -> Iterable[Finding]:
    """The findings of the reports of all splits."""
    for split, report in found.items():
        for name, (code, meaning) in MEANINGS.items():
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
            message = f"{split}: the offsets of answers count {report['offsets']}; {report.get('converted', 0):,} were converted"
            yield Finding(NOTE, "converted-offsets", message, report.get("converted", 0))
    schemes = {str(report.get("scheme")) for report in found.values() if report.get("scheme")}
    if len(schemes) > 1:
        message = f"splits differ in their tagging scheme ({', '.join(sorted(schemes))}); each was read by its own"
        yield Finding(WARNING, "several-schemes", message, len(schemes))
    for scheme in sorted(schemes & ONE_SCHEME.keys()):
        yield Finding(WARNING, f"scheme-{scheme}", ONE_SCHEME[scheme])
