"""Any file: its readers give what a plain reader, written here, gives, or say in one line what is wrong. Nothing else happens."""

import json
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import registry
from harness.data import readers
from harness.data.readers.offsets import NOWHERE
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.task import Task
from harness.task_data import load_data

USUAL, MANY = 200, 2_000  # files tried by each of the usual tests and of the long ones, which are nine

# What breaks readers: separators, quotes, brackets, marks, blanks of all kinds, characters of several units, halves of pairs.
PIECES = st.sampled_from(
    ["a", "B-X", "I-X", "O", "\t", " ", "\n", "\r\n", "\n\n", "\r", "#", "-DOCSTART-", "__label__a ", "__label__", ":", "'", '"', "[", "]", "{", "}", ",", "...", "é", "e\u0301", "😀", "\u00a0", "\u2028", "\u200b", "\ufeff", "1", "1.0", "True", "NaN", "-1", "0", "\\", "\ud83d"]
)  # fmt: skip
LINES = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=30)
WORD = st.text("abé😀'\"[]#:,.\u00a0", min_size=1, max_size=4)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.floats() | LINES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "answer_start", "name"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def tried(*strategies):
    """A test for a few hundred files, and the same one for thousands."""

    def twice(check):
        usual, many = (
            settings(max_examples=number, deadline=None, suppress_health_check=list(HealthCheck))(
                given(*strategies)(check)
            )
            for number in (USUAL, MANY)
        )
        return usual, pytest.mark.long(many)

    return twice


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzzed")


class Files:
    """Where the files of this process lie."""

    path = None


@pytest.fixture(autouse=True, scope="module")
def _files(folder):
    Files.path = folder


def write(name, content):
    path = Files.path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def read(format, content, **options):
    """Rows and report, or None where the reader has refused the file in one line."""
    report = {}
    try:
        return readers.READERS[format](write("x", content), report=report, **options), report
    except BenchError as error:
        assert str(error).count("\n") == 0 or "\n" in content, error
        return None, report


def lines_of(text):
    text = text.removeprefix("\ufeff")
    parts = (text if "\n" in text else text.replace("\r", "\n")).split("\n")  # a file of the old Mac ends its lines so
    return [part.removesuffix("\r") for part in (parts[:-1] if parts[-1] == "" else parts)]


def conll(text):
    rows, report = read("conll", text)
    if rows is None:
        return
    sentences, words = [], []
    for line in [*lines_of(text), ""]:
        if not line.strip(" \t") or line.lstrip(" \t").startswith("-DOCSTART-"):
            sentences += [words] if words else []
            words = []
        else:
            words.append(line)
    assert len(rows) == len(sentences) == report["sentences"]
    for row, lines in zip(rows, sentences, strict=True):
        assert len(row["words"]) == len(row["tags"]) == len(lines)
        for word, tag, line in zip(row["words"], row["tags"], lines, strict=True):
            assert word.strip(" \t") and line.strip(" \t").startswith(word)
            assert tag == "O" or line.rstrip().endswith(tag[1:])


test_conll, test_conll_long = tried(LINES)(conll)


def regular_conll(sentences, separator, extra):
    """Files that are as they should be: every token comes back, with a blank or a quotation mark in it or not."""
    blank = " " if separator == "\t" else "_"
    sentences = [[(word.replace(" ", blank), tag) for word, tag in sentence] for sentence in sentences]
    text = "\n".join(
        "".join(separator.join([word, *extra, tag]) + "\n" for word, tag in sentence) for sentence in sentences
    )
    rows, report = read("conll", text)
    if any(word.startswith("-DOCSTART-") for sentence in sentences for word, _ in sentence):
        return
    assert rows is not None and [row["words"] for row in rows] == [
        [word for word, _ in sentence] for sentence in sentences
    ]
    assert [[tag == "O" for tag in row["tags"]] for row in rows] == [
        [tag == "O" for _, tag in sentence] for sentence in sentences
    ]
    assert report["sentences"] == len(sentences)


SENTENCES = st.lists(st.lists(st.tuples(st.text("aé😀#'\"[] ", min_size=1, max_size=4).filter(lambda word: word.strip(" ") == word), st.sampled_from(["O", "B-X"])), min_size=1, max_size=4), min_size=1, max_size=4)  # fmt: skip
test_regular_conll, test_regular_conll_long = tried(SENTENCES, st.sampled_from(["\t", " "]), st.lists(st.sampled_from(["NN", "B-Y"]), max_size=2))(regular_conll)  # fmt: skip


def labelled(text):
    rows, _ = read("labelled", text)
    if rows is None:
        return
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        label, *rest = re.split(r"\s+", line, maxsplit=1)
        assert (
            row["label"]
            and label.removeprefix("__label__").startswith(row["label"])
            and row["text"] == "".join(rest).strip()
        )
        assert sum(word.startswith("__label__") for word in line.split()) <= 1


test_labelled, test_labelled_long = tried(LINES)(labelled)


def pairs(text):
    rows, report = read("pairs", text)
    if rows is None:
        return
    expected = [line.split("\t") for line in lines_of(text) if line.strip()]
    assert [(row["source"], row["target"]) for row in rows] == [(line[0].strip(), line[1].strip()) for line in expected]
    assert report.get("unread", 0) == sum(any(field.strip() for field in line[2:]) for line in expected)


test_pairs, test_pairs_long = tried(LINES)(pairs)

SEGMENT = st.tuples(st.sampled_from(["en", "EN-us", "de", "de-AT", "fr"]), st.text("a é😀<&>\"'", max_size=5))


def tmx(units, cut):
    body = "".join("<tu>" + "".join(f'<tuv xml:lang="{code}"><seg>{escape(text)}</seg></tuv>' for code, text in unit) + "</tu>" for unit in units)  # fmt: skip
    text = f'<tmx><header srclang="en"/><body>{body}</body></tmx>'
    rows, report = read("tmx", text[: len(text) - cut], source="en", target="de")
    if cut:
        assert rows is None
    if rows is None:
        return
    expected, kept, total = [], 0, 0
    for unit in ElementTree.fromstring(text).iter("tu"):
        found = [(one.get("{http://www.w3.org/XML/1998/namespace}lang").lower(), (one.find("seg").text or "").strip()) for one in unit.iter("tuv")]  # fmt: skip
        sides = [
            [text for code, text in found if code == name] or [text for code, text in found if code.startswith(name)]
            for name in ("en", "de")
        ]
        total += len(found)
        if all(sides):
            expected.append((sides[0][0], sides[1]))
            kept += 1 + len(sides[1])
        else:
            kept += sum(map(len, sides))
    assert [
        (row["source"], row["target"] if isinstance(row["target"], list) else [row["target"]]) for row in rows
    ] == expected
    others = sum(int(number) for number in re.findall(r"\((\d+)\)", report.get("other_languages", "")))
    assert kept + others + report.get("other_variants", 0) + report.get("other_sources", 0) == total
    assert report["incomplete"] + len(rows) == len(units)


test_tmx, test_tmx_long = tried(st.lists(st.lists(SEGMENT, max_size=5), max_size=4), st.sampled_from([0, 0, 0, 1, 9]))(
    tmx
)

ANSWER = st.fixed_dictionaries(
    {"text": st.text("abé😀\n", max_size=3) | VALUE, "answer_start": st.integers(-2, 12) | VALUE}
)
QUESTION = st.fixed_dictionaries({"id": WORD | st.integers(), "question": WORD, "answers": st.lists(ANSWER, max_size=2) | VALUE}, optional={"is_impossible": st.booleans() | st.sampled_from(["False", "true", "0", 1, None, "no way"])})  # fmt: skip


def squad(paragraphs):
    content = {"data": [{"title": f"t{number}", "paragraphs": [{"context": context, "qas": qas}]} for number, (context, qas) in enumerate(paragraphs)]}  # fmt: skip
    rows, report = read("squad", json.dumps(content))
    if rows is None:
        return
    asked = [(context, one) for context, qas in paragraphs for one in qas]
    assert len(rows) == len(asked) == report["questions"]
    answers = 0
    for row, (context, one) in zip(rows, asked, strict=True):
        assert row["context"] == context.replace("\ud83d", "\ufffd") and row["question"] == one["question"]
        given = [] if str(one.get("is_impossible")).lower() in ("true", "1", "1.0") else [str(answer["text"]) for answer in one["answers"] if answer["text"] != ""]  # fmt: skip
        got = row["answers"]
        assert len(got["text"]) == len(got["answer_start"]) == len(given)
        answers += len(given)
        for text, start in zip(got["text"], got["answer_start"], strict=True):
            assert start == NOWHERE or context.replace("\ud83d", "\ufffd").startswith(text, start)
    assert report["answers"] == answers and report["unanswerable"] == sum(not row["answers"]["text"] for row in rows)
    assert sum(start == NOWHERE for row in rows for start in row["answers"]["answer_start"]) <= 0.05 * answers


test_squad, test_squad_long = tried(
    st.lists(st.tuples(st.text("abé😀 \n", max_size=12), st.lists(QUESTION, max_size=3)), max_size=4)
)(squad)


def spans(items):
    rows, report = read("spans", "".join(json.dumps({"question": "?", "context": "a b é 😀 b", **one}) + "\n" for one in items), table="jsonl", text="t", start="b", end="e")  # fmt: skip
    if rows is None:
        return
    assert len(rows) == len(items) == report["questions"]
    for row in rows:
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert text and (start == NOWHERE or row["context"].startswith(text, start))


SPAN = st.fixed_dictionaries({"t": st.sampled_from(["a", "b", "é", "", "😀 b"]) | VALUE, "b": st.integers(0, 9) | VALUE, "e": st.integers(1, 10) | VALUE})  # fmt: skip
test_spans, test_spans_long = tried(st.lists(SPAN, min_size=1, max_size=4))(spans)


def tokens(items):
    text = "".join(json.dumps(one) + "\n" for one in items)
    rows, report = read("tokens", text, table="jsonl", words="w", tags="t", sentence="s")
    if rows is None:
        return
    there = [one for one in items if one["w"] is not None and str(one["w"]).strip() and one["w"] == one["w"]]
    assert sum(len(row["words"]) for row in rows) == len(there)
    assert report["put_together"] == len(rows) and all(len(row["words"]) == len(row["tags"]) for row in rows)


TOKEN = st.fixed_dictionaries({"w": WORD | VALUE, "t": st.sampled_from(["O", "B-X", "I-X", "", None]), "s": st.integers(1, 3) | VALUE})  # fmt: skip
test_tokens, test_tokens_long = tried(st.lists(TOKEN, min_size=1, max_size=5))(tokens)


FAMILIES = {"sentiment": ("text", "label"), "ner": ("words", "tags"), "qa": ("question", "context", "answers"), "translation": ("source", "target")}  # fmt: skip


def families(family, rows):
    """Rows of JSON with any values: every one is used or refused, and what is used has the family's types and can be written."""
    columns = FAMILIES[family]
    path = write("rows.jsonl", "".join(json.dumps(dict(zip(columns, row, strict=False))) + "\n" for row in rows))
    task = Task("t", family, FileSource("jsonl", {split: [path] for split in ("train",)}))
    bad = []
    try:
        data = load_data(task, registry.family(family), bad)
    except BenchError as error:
        assert str(error).count("\n") == 0
        return
    made = [row for part in data.splits.values() for row in part]
    assert len(made) + len(bad) == len(rows) and all("\n" not in line for line in bad)
    json.dumps(made, ensure_ascii=False, allow_nan=False).encode()
    for row in made:
        if family == "sentiment":
            assert row["label"] == row["label"].strip() != "" and isinstance(row["text"], str)
        elif family == "ner":
            assert len(row["words"]) == len(row["tags"]) and all(isinstance(word, str) for word in row["words"])
        elif family == "translation":
            assert (
                isinstance(row["source"], str)
                and row["target"]
                and all(isinstance(text, str) for text in row["target"])
            )


ROWS = st.lists(st.tuples(VALUE | WORD, VALUE | WORD, VALUE | st.builds(lambda text, start: {"text": [text], "answer_start": [start]}, WORD, st.integers(-1, 5))), min_size=4, max_size=8)  # fmt: skip
test_families, test_families_long = tried(st.sampled_from(sorted(FAMILIES)), ROWS)(families)


def test_labels_and_texts_of_a_table_are_what_the_csv_module_reads():
    import csv
    import io

    @settings(max_examples=USUAL, deadline=None)
    @given(st.lists(st.tuples(st.text("a,\"'é😀 ;[]", min_size=1, max_size=8), st.sampled_from(["a", "b", "c d", "[x]"])), min_size=8, max_size=20))  # fmt: skip
    def check(rows):
        file = io.StringIO(newline="")
        csv.writer(file).writerows([("text", "label"), *rows])
        path = write("x.csv", file.getvalue())
        task = Task("t", "sentiment", FileSource("csv", {"all": path}, {"delimiter": ","}))
        data = load_data(task, registry.family("sentiment"))
        made = sorted((row["text"], row["label"]) for part in data.splits.values() for row in part)
        assert made == sorted((text.strip(), label) for text, label in rows)

    check()


def test_normal_forms_are_what_unicode_says():
    """The strategies above hold characters that differ in their normal forms, or else they would try nothing."""
    assert unicodedata.normalize("NFC", "e\u0301") == "é" != "e\u0301"
