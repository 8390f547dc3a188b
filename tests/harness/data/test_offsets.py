"""What offsets count, told from a whole file; and what becomes of answers that stand nowhere."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import registry
from harness.data.readers import squad
from harness.data.readers.offsets import POINTS, ClaimedOffset, explain
from harness.data.source import FileSource, GeneratedSource
from harness.errors import BenchError
from harness.task import Task
from harness.task_data import load_data

NAMES = ["Ann", "Zoë", "René Müller", "林 彪", "Ann 😀"]


def counted(before: str, how: str) -> int:
    """The offset behind a text as other programs count it; written without what it tests."""
    return {
        "code points": lambda: len(before),
        "UTF-16 units": lambda: sum(2 if ord(one) > 0xFFFF else 1 for one in before),
        "UTF-8 bytes": lambda: sum(1 + (ord(one) > 0x7F) + (ord(one) > 0x7FF) + (ord(one) > 0xFFFF) for one in before),
        "code points, CRLF as one": lambda: len(before) - before.count("\r\n"),
        "code points, line feeds as two": lambda: len(before) + before.count("\n"),
        "code points of the text in NFC": lambda: len(unicodedata.normalize("NFC", before)),
        "code points of the text in NFD": lambda: len(unicodedata.normalize("NFD", before)),
        "code points, counted from 1": lambda: len(before) + 1,
        "UTF-16 units, counted from 1": lambda: counted(before, "UTF-16 units") + 1,
        "code points, one too small": lambda: len(before) - 1,
    }[how]()


def article(number: int, how: str, form: str = "NFC", ends: str = "\n") -> tuple[str, str, int]:
    """Context, answer and where it stands, counted as it should be; the answer stands there twice more."""
    name = NAMES[number % len(NAMES)]
    before = f"x{ends}é {'😀' * (number % 7)} {name}, ö{ends} " + "ü" * (number % 5)
    before, name = unicodedata.normalize(form, before), unicodedata.normalize(form, name)
    return before + name + f" of Oslo. {name} again.", name, len(before)


def write(path, items):
    """A SQuAD file of (context, answer, offset)."""
    data = [
        {"title": f"t{number}", "paragraphs": [{"context": context, "qas": [{"id": str(number), "question": "Who?", "answers": [{"text": text, "answer_start": start}]}]}]}
        for number, (context, text, start) in enumerate(items)
    ]  # fmt: skip
    path.write_text(json.dumps({"data": data}))
    return path


UNITS = [
    ("code points", "NFC", "\n"), ("UTF-16 units", "NFC", "\n"), ("UTF-8 bytes", "NFC", "\n"), ("code points, CRLF as one", "NFC", "\r\n"),
    ("code points, line feeds as two", "NFC", "\n"), ("code points of the text in NFC", "NFD", "\n"),
    ("code points of the text in NFD", "NFC", "\n"), ("code points, counted from 1", "NFC", "\n"),
    ("UTF-16 units, counted from 1", "NFC", "\n"), ("code points, one too small", "NFC", "\n"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "form", "ends"), UNITS)
@pytest.mark.parametrize("wrong", [0, 1])
def test_the_unit_of_a_file_is_told_and_converted(tmp_path, how, form, ends, wrong):
    made = [article(number, how, form, ends) for number in range(40)]
    items = [(context, text, counted(context[:place], how)) for context, text, place in made]
    items[:wrong] = [(context, text, 3) for context, text, _ in items[:wrong]]  # one that is just wrong
    report = {}
    rows = squad.read(write(tmp_path / "x.json", items), report=report)
    for row, (context, text, place) in list(zip(rows, made, strict=True))[wrong:]:
        assert row["answers"] == {"text": [text], "answer_start": [place]} and row["context"] == context
    assert report.get("offsets", "code points") == how
    assert [row["answers"]["answer_start"] for row in rows[:wrong]] == [[-1]] * wrong
    assert (report["misaligned"], report["repaired"], report.get("unplaced", 0)) == (wrong, 0, wrong)


@pytest.mark.parametrize("other", ["NFC", "NFD"])
def test_answers_in_another_normal_form_get_that_of_their_context(tmp_path, other):
    form = {"NFC": "NFD", "NFD": "NFC"}[other]
    made = [article(number, "", form) for number in range(20)]
    items = [(context, unicodedata.normalize(other, text), place) for context, text, place in made]
    report = {}
    rows = squad.read(write(tmp_path / "x.json", items), report=report)
    assert [row["answers"] for row in rows] == [{"text": [text], "answer_start": [place]} for _, text, place in made]
    assert report["respelled"] == sum(text != item[1] for (_, text, _), item in zip(made, items, strict=True)) > 0


def test_each_file_has_its_own_unit(tmp_path):
    made = [article(number, "") for number in range(20)]
    paths = [
        write(
            tmp_path / f"{number}.json",
            [(context, text, counted(context[:place], how)) for context, text, place in made],
        )
        for number, how in enumerate(("code points", "UTF-16 units"))
    ]
    report = {}
    rows = squad.read(paths, report=report)
    assert [row["answers"]["answer_start"][0] for row in rows] == [place for _, _, place in made] * 2
    assert report["offsets"] == "UTF-16 units"


def test_few_wrong_offsets_are_no_unit():
    good = [ClaimedOffset("The cat sat. The cat sat.", "cat", 4)] * 30
    assert explain([*good, ClaimedOffset("The cat sat. The cat sat.", "cat", 5)]) == POINTS
    emoji = ClaimedOffset("😀 cat, cat", "cat", 2)
    assert explain([*good, *[emoji] * 9, ClaimedOffset("😀 cat, cat", "cat", 3)]) == POINTS


def test_an_answer_is_moved_to_its_only_place_alone(tmp_path):
    good = [("The cat sat. The dog sat.", "cat", 4)] * 40
    report = {}
    rows = squad.read(write(tmp_path / "x.json", [*good, ("The cat sat. The dog sat.", "cat", 11)]), report=report)
    assert rows[-1]["answers"]["answer_start"] == [4] and (report["misaligned"], report["repaired"]) == (1, 1)
    near = ("sat " + "x" * 50 + " sat", "sat", 53)  # two places, one of them near: which one is meant, nobody knows
    rows = squad.read(write(tmp_path / "x.json", [*good, near, ("a cat", "cat", -1)]), report=report)
    assert [row["answers"]["answer_start"] for row in rows[-2:]] == [[-1], [2]] and rows[-2]["answers"]["text"] == [
        "sat"
    ]


def test_too_many_wrong_answers_are_one_line_with_their_causes(tmp_path):
    good = [("The cat sat. The dog sat.", "cat", 4)] * 90
    bad = [("The cat sat. The dog sat.", "sat", 2), ("The cat sat.", "bird", 99)]
    path = write(tmp_path / "x.json", [*good, *bad * 5])
    with pytest.raises(BenchError) as raised:
        squad.read(path)
    message = str(raised.value)
    assert message.startswith("10 of 100 answers cannot be found in their context: 5 occur at several places")
    assert "5 do not occur in it" in message and message.count(": 'bird' at 99") == message.count(": 'sat' at 2") == 3
    assert "data[91].paragraphs[0].qas[0]" in message and "\n" not in message
    squad.read(write(tmp_path / "y.json", [*good, *bad * 2]))


def test_rows_that_no_reader_of_answers_has_seen_are_aligned_too():
    rows = []
    for number in range(20):
        context, text, place = article(number, "")
        answers = {"text": [text], "answer_start": [counted(context[:place], "UTF-16 units")]}
        rows.append(
            {"question": "?", "context": context, "answers": [answers, json.dumps(answers), str(answers)][number % 3]}
        )
    task = Task("t", "qa", GeneratedSource(lambda: {"all": rows}, "test"))
    data = load_data(task, registry.family("qa"))
    for row in (row for part in data.splits.values() for row in part):
        _, text, place = article(int(row["id"].removeprefix("all-")), "")
        assert row["answers"] == {"text": [text], "answer_start": [place]}
    assert data.reports["all"]["offsets"] == "UTF-16 units" and data.reports["all"]["printed"] == 13


@given(
    st.lists(
        st.tuples(
            st.text("ab \n", max_size=12) | st.text("aé😀\r\n\u0301", max_size=12),
            st.text("abé😀\u0301\n", min_size=1, max_size=3),
            st.integers(-3, 30),
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=300)
def test_whatever_a_file_claims_answers_stand_where_they_are_said_to(tmp_path_factory, items):
    path = write(tmp_path_factory.getbasetemp() / "claims.json", items)
    report = {}
    try:
        rows = squad.read(path, report=report)
    except BenchError:
        return
    assert len(rows) == len(items) == report["answers"]
    for row, (context, text, start) in zip(rows, items, strict=True):
        (piece,), (place,) = row["answers"]["text"], row["answers"]["answer_start"]
        assert place == -1 or context.startswith(piece, place)
        assert unicodedata.normalize("NFC", piece).replace("\r\n", "\n") == unicodedata.normalize("NFC", text).replace(
            "\r\n", "\n"
        )
        if "offsets" not in report and context.startswith(text, start) and start >= 0:
            assert (piece, place) == (text, start)


def test_files_of_other_units_have_the_rows_of_the_right_one(shared):
    folder = shared / "cases" / "08-squad-offsets-in-other-units"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")

    def rows(name):
        task = Task("t", "qa", FileSource("squad", {"all": folder / name}))
        return load_data(task, registry.family("qa")).splits

    right = rows("right.json")
    for name in ("utf16.json", "utf8-bytes.json"):
        assert rows(name) == right
    for name in ("nfc-answers-in-nfd-contexts.json", "crlf-counted-as-one.json"):
        for row in (row for part in rows(name).values() for row in part):
            (text,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
            assert start >= 0 and row["context"].startswith(text, start)
