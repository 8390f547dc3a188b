"""Flat question answering: spans, offsets, several annotators."""

import json

import pytest

from harness.data.readers import qa_answers, span_tables
from harness.data.scalars import whole_number
from harness.errors import BenchError

CONTEXT = "The cat sat. The dog sat."


@pytest.fixture
def read(tmp_path):
    """read(rows, **options) -> rows, report; the rows in JSON lines."""

    def read(rows, **options):
        path = tmp_path / "x.jsonl"
        path.write_text("".join(json.dumps({"question": "Who?", "context": CONTEXT, **row}) + "\n" for row in rows))
        report = {}
        return span_tables.read(path, table="jsonl", report=report, **options), report

    return read


def of(*pairs):
    return {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]}


@pytest.mark.parametrize(
    ("row", "options", "expected"),
    [
        ({"s": "(4, 7)"}, {"span": "s"}, of(("cat", 4))),
        ({"s": [4, 7]}, {"span": "s"}, of(("cat", 4))),
        ({"b": "4", "e": "6.0"}, {"start": "b", "end": "e", "inclusive": True}, of(("cat", 4))),
        ({"b": 3, "e": 8}, {"start": "b", "end": "e"}, of(("cat", 4))),  # without the blanks around it
        ({"t": "cat", "b": 4}, {"text": "t", "start": "b"}, of(("cat", 4))),
        ({"t": "cat"}, {"text": "t"}, of(("cat", 4))),
        ({"t": "", "b": ""}, {"text": "t", "start": "b"}, of()),
        ({"t": None}, {"text": "t"}, of()),
        ({"t": "x", "b": -1}, {"text": "t", "start": "b"}, of()),
        ({"a": of(("cat", 4), ("dog", 17))}, {"answers": "a"}, of(("cat", 4), ("dog", 17))),
        ({"a": str(of(("cat", 4)))}, {"answers": "a"}, of(("cat", 4))),
        ({"a": [{"text": "cat", "answer_start": 4}]}, {"answers": "a"}, of(("cat", 4))),
        ({"a": "{'text': array(['cat'], dtype=object), 'answer_start': array([4], dtype=int32)}"}, {"answers": "a"}, of(("cat", 4))),
        ({"a": None}, {"answers": "a"}, of()),
    ],
)  # fmt: skip
def test_answers_in_every_form(read, row, options, expected):
    rows, report = read([row], **options)
    assert rows[0]["answers"] == expected
    assert rows[0]["question"] == "Who?" and rows[0]["context"] == CONTEXT
    assert report["questions"] == 1 and report["answers"] == len(expected["text"])
    assert report["unanswerable"] == (not expected["text"])


def test_the_context_is_right_and_not_the_text(read):
    rows, report = read(
        [{"t": "c at", "s": "(4, 7)"}, {"t": "dog", "s": "(4, 7)"}, {"t": "cat", "s": "(4, 7)"}], text="t", span="s"
    )
    assert [row["answers"] for row in rows] == [of(("cat", 4))] * 3
    assert (report["differs"], report["differs_in_blanks"]) == (2, 1)


def test_starts_without_ends_are_repaired_as_in_squad(read):
    rows, report = read([{"t": "dog", "b": 3}, *[{"t": "sat", "b": 8}] * 30, {"t": "sat", "b": 15}], text="t", start="b")
    assert [row["answers"]["answer_start"] for row in rows] == [[17], *[[8]] * 30, [-1]]
    assert (report["misaligned"], report["repaired"], report["unplaced"]) == (2, 1, 1)
    _, report = read([{"t": "sat"}], text="t")
    assert report["several_places"] == 1


@pytest.mark.parametrize("unit", ["utf-16-le", "utf-8"])
def test_spans_in_other_units_are_converted(read, unit):
    size = 2 if unit == "utf-16-le" else 1
    rows = []
    for number in range(9):
        before = f"Ann {'😀é' * number} in "
        place = len(before.encode(unit)) // size
        rows.append({"context": f"{before}Oslo. Oslo", "t": "Oslo", "b": place, "e": place + 4})
    made, report = read(rows, text="t", start="b", end="e")
    assert [row["context"][row["answers"]["answer_start"][0] - 4 :][:8] for row in made] == [" in Oslo"] * 9
    assert report["offsets"] == {"utf-16-le": "UTF-16 units", "utf-8": "UTF-8 bytes"}[unit] and report["differs"] == 0


def test_inclusive_ends_are_detected_from_the_texts(read):
    given = [{"t": "cat", "b": 4, "e": 6}, {"t": "dog", "b": 17, "e": 19}]
    rows, report = read(given, text="t", start="b", end="e")
    assert [row["answers"] for row in rows] == [of(("cat", 4)), of(("dog", 17))] and report["inclusive"]
    rows, report = read([{**row, "e": row["e"] + 1} for row in given], text="t", start="b", end="e")
    assert [row["answers"] for row in rows] == [of(("cat", 4)), of(("dog", 17))] and "inclusive" not in report


def test_a_column_says_which_questions_are_impossible(read):
    given = [{"t": "cat", "x": mark} for mark in ("False", "true", 0)] + [{"t": "", "x": "TRUE"}]
    rows, report = read(given, text="t", impossible="x")
    assert [row["answers"]["text"] for row in rows] == [["cat"], [], ["cat"], []]
    assert (report["truth_values"], report["impossible_with_answers"]) == (4, 1)
    with pytest.raises(BenchError, match=r"x.jsonl:1: 'perhaps' is not a truth value"):
        read([{"t": "cat", "x": "perhaps"}], text="t", impossible="x")


def test_a_word_for_no_answer_is_cut_off_the_context(read):
    context = CONTEXT + " NOTHING"
    rows, report = read(
        [
            {"context": context, "t": "NOTHING", "s": "(26, 33)"},
            {"context": context, "t": "dog sat. NOTHING", "s": "(17, 33)"},
            {"context": context, "t": "cat", "s": "(4, 7)"},
        ],
        text="t", span="s", no_answer="NOTHING",
    )  # fmt: skip
    assert {row["context"] for row in rows} == {CONTEXT}
    assert [row["answers"] for row in rows] == [of(), of(("dog sat.", 17)), of(("cat", 4))]
    assert report["clipped"] == 1 and report["unanswerable"] == 1
    rows, _ = read([{"context": context, "s": "(26, 33)"}], span="s", no_answer="NOTHING")
    assert rows[0]["answers"] == of()


def test_rows_of_one_id_are_several_annotators(read):
    given = [
        {"i": i, "t": text}
        for i, text in [(1, "cat"), (2, ""), (1, "dog"), (1, ""), (1, "cat"), (3, ""), (3, ""), (3, "cat")]
    ]
    rows, report = read(given, text="t", id="i")
    assert [(row["id"], row["answers"]) for row in rows] == [
        ("1", of(("cat", 4), ("dog", 17))), ("2", of()), ("3", of(("cat", 4)))
    ]  # fmt: skip
    assert (report["rows"], report["merged"], report["disagree"], report["unanswerable"]) == (8, 2, 2, 1)
    rows, report = read(given, text="t", id="i", disagreement="majority")
    assert [len(row["answers"]["text"]) for row in rows] == [2, 0, 0]


def test_contexts_are_groups_unless_a_column_is_named(read):
    given = [{"t": "cat", "d": 1}, {"t": "cat", "d": 2}, {"t": "x", "context": "x", "d": 2}]
    assert [row["group"] for row in read(given, text="t")[0]] == ["0", "0", "1"]
    assert [row["group"] for row in read(given, text="t", group="d")[0]] == ["1", "2", "2"]


def test_other_columns_stay(read):
    rows, _ = read([{"t": "cat", "phenomenon": "names"}], text="t")
    assert rows[0]["phenomenon"] == "names" and "t" not in rows[0]


@pytest.mark.parametrize(
    ("row", "options", "words"),
    [
        ({}, {}, "no column of answers is named"),
        ({"b": 1}, {"start": "b"}, "no column of answers is named"),
        ({}, {"text": "t"}, r"x.jsonl:2: unknown column 't'; valid: question, context"),
        ({"t": "bird"}, {"text": "t"}, r"1 of 2 answers cannot be found in their context: 1 do not occur in it \(.*x.jsonl:2: 'bird'\); mend the file"),
        ({"s": "(4, 99)"}, {"span": "s"}, r"x.jsonl:2: the answer's span \(4, 99\) lies outside"),
        ({"s": "(7, 4)"}, {"span": "s"}, r"lies outside"),
        ({"s": "(3, 4)"}, {"span": "s"}, r"holds nothing but blanks"),
        ({"s": "no"}, {"span": "s"}, r"'no' is no span such as \(287, 338\)"),
        ({"t": "cat", "b": "x"}, {"text": "t", "start": "b"}, r"x.jsonl:2: 'x' is not a whole number"),
        ({"a": "what"}, {"answers": "a"}, r"x.jsonl:2: 'what' is neither JSON nor"),
        ({"a": {"text": ["a", "b"], "answer_start": [1]}}, {"answers": "a"}, "2 answers but 1 starts"),
        ({"t": "cat", "context": [5]}, {"text": "t"}, "x.jsonl:2: question and context must be texts"),
        ({"t": "cat", "i": 1, "question": "What?"}, {"text": "t", "id": "i"}, r"x.jsonl:2: the id '1' of .*x.jsonl:1, but another question"),
        ({"t": "cat"}, {"text": "t", "disagreement": "some"}, "unknown value of disagreement 'some'; did you|valid: any, majority"),
    ],
)  # fmt: skip
def test_unreadable_answers_are_errors_with_their_line(read, row, options, words):
    good = {"t": "cat", "s": "(4, 7)", "b": 4, "a": of(("cat", 4)), "i": 1}
    with pytest.raises(BenchError, match=words):
        read([good, row], **options)


@pytest.mark.parametrize(
    "value", ["__import__('os').system('true')", "[i for i in range(9)]", "f(1)", "array", "{'text': f'{1}'}"]
)
def test_nothing_in_a_file_is_run(value):
    with pytest.raises(ValueError, match="neither JSON nor a dict"):
        qa_answers.parse_answers(value)


@pytest.mark.parametrize("value", [True, None, "x", "1.5", "nan", "inf", [1]])
def test_values_that_are_not_whole_numbers(value):
    with pytest.raises(ValueError, match="is not a whole number"):
        whole_number(value)


def test_answers_with_a_text_and_a_negative_start_are_counted(tmp_path):
    lines = [{"question": "who?", "context": "Ann of Oslo", "answer_text": text, "answer_start": start} for text, start in (("Ann", 0), ("Ann", -5), ("", -1))]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = {}
    rows = span_tables.read(tmp_path / "x.jsonl", table="jsonl", text="answer_text", start="answer_start", report=report)
    assert [row["answers"]["text"] for row in rows] == [["Ann"], [], []] and report["negative_starts"] == 1
