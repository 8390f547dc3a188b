"""Findings in small data with known faults, family by family."""

import io
import json

import pytest
import toy
from rich.console import Console

from harness import registry
from harness.check.report import examine, warnings
from harness.data.source import FileSource, GeneratedSource, HubSource
from harness.errors import BenchError
from harness.family import TaskFamily
from harness.report.check_table import check_table
from harness.task import Task
from harness.task_data import load_data


def check(family, rows, **values):
    task = Task("t", family, GeneratedSource(lambda: rows, "test"), **values)
    report, data = examine(task, registry.family(family))
    return report, {finding.code: finding for finding in report.findings}, data


def texts(*pairs):
    return [{"text": text, "label": label} for text, label in pairs]


GOOD = texts(("fine", "a"), ("bad", "b"))


def test_rows_labels_lengths():
    train = texts(("one two three", "b"), ("four", "a"), ("five six", "a"))
    report, findings, _ = check("sentiment", {"train": train, "validation": GOOD, "test": GOOD[:1] + texts(("x y", "b"))})
    assert report.rows == {"train": 3, "validation": 2, "test": 2} and report.split_rule == "publisher's splits"
    assert report.kinds == {
        "a": {"train": 2, "validation": 1, "test": 1},
        "b": {"train": 1, "validation": 1, "test": 1},
    }
    (length,) = [one for one in report.lengths if one.split == "train"]
    assert (length.unit, length.median, length.p95, length.longest) == ("words", 2, 3, 3)
    assert set(findings) == {"validation-test-overlap"} and findings["validation-test-overlap"].count == 1


def test_repeats_overlaps_and_conflicts():
    train = texts(("same", "a"), ("same", "a"), ("same", "b"), ("other", "b"), (" same ", "a"))
    _, findings, _ = check(
        "sentiment", {"train": train, "validation": GOOD, "test": texts(("other", "b"), ("same", "a"), ("new", "b"))}
    )
    assert findings["duplicate-rows"].count == 3  # of four equal ones three repeat the first
    assert findings["train-test-overlap"].count == 2 and findings["train-test-overlap"].examples[0].startswith(
        "test-0 = train-3"
    )
    assert findings["conflicting-answers"].count == 1
    assert "train-validation-overlap" not in findings
    assert not any("same" in finding.message for finding in findings.values())


def test_pairs_are_compared_as_pairs():
    rows = [{"text": "a", "text_pair": pair, "label": label} for pair, label in (("x", "1"), ("y", "2"), ("x", "1"))]
    other = [{"text": "b", "text_pair": pair, "label": label} for pair, label in (("x", "1"), ("y", "2"))]
    _, findings, _ = check(
        "text-classification", {"train": rows, "validation": other, "test": other[:1] + [{**other[1], "text": "c"}]}
    )
    assert findings["duplicate-rows"].count == 1 and "conflicting-answers" not in findings


def test_empty_rows_are_counted_by_column_and_not_as_duplicates():
    train = [*GOOD, *texts((" ", "a"), ("", "b"))]
    _, findings, _ = check(
        "sentiment",
        {"train": train, "validation": texts(("v", "a"), ("w", "b")), "test": texts(("t", "a"), ("u", "b"))},
    )
    assert (
        set(findings) == {"empty-rows"} and findings["empty-rows"].count == 2 and "empty text" in findings["empty-rows"].message
    )


def test_unseen_labels_and_single_class():
    test = texts(("t", "c"), ("u", "c"), ("s", "a"))
    report, findings, _ = check(
        "sentiment",
        {"train": GOOD, "validation": texts(("v", "a"), ("w", "b")), "test": test},
        labels={"a": "a", "b": "b", "c": "c", "d": "d"},
    )
    assert findings["unseen-labels"].count == 2 and "c" in findings["unseen-labels"].message
    assert findings["unseen-labels"].message.startswith("test has 1 kind that train lacks, so no model can learn it: c")
    assert findings["unused-labels"].message.endswith("d")
    _, findings, _ = check("sentiment", {"train": GOOD, "validation": GOOD, "test": texts(("t", "a"), ("u", "a"))})
    assert findings["one-class"].level == "warning" and "test has one label only (a)" in findings["one-class"].message
    report, findings, _ = check("sentiment", {"train": texts(("x", "a"), ("y", "a")), "validation": GOOD, "test": GOOD})
    assert findings["one-class"].level == "error" and report.findings[0].level == "error"


def test_reports_wrong_rows_up_to_a_limit(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + "x,good\ny,bad\nz,\n" * 12)
    task = Task("t", "sentiment", FileSource("csv", {"all": str(tmp_path / "a.csv")}))
    report, data = examine(task, registry.family("sentiment"))
    messages = [finding.message for finding in report.findings]
    assert data is None and len(messages) == 4 and "no label" in messages[0] and messages[-1] == "and 9 more like these"
    task = Task("t", "sentiment", FileSource("csv", {"all": str(tmp_path / "none.csv")}))
    report, data = examine(task, registry.family("sentiment"))
    assert data is None and [finding.level for finding in report.findings] == ["error"]


def entity(words, tags):
    return {"words": words.split(), "tags": tags.split()}


def test_entities():
    train = [entity("a b c", "B-X I-X O"), entity("d e", "B-X B-X"), entity("f", "I-Y"), entity("a b c", "O O O")]
    rest = {"validation": [entity("g", "B-X")], "test": [entity("h i", "B-Z B-X")]}
    report, findings, _ = check("ner", {"train": train, **rest})
    assert {kind: counts["train"] for kind, counts in report.kinds.items()} == {"X": 3, "Y": 1, "Z": 0}
    assert findings["irregular-tags"].count == 1 and findings["unseen-labels"].count == 1
    assert findings["conflicting-answers"].count == 1 and "tagging" in findings["conflicting-answers"].message
    assert "one-class" not in findings
    _, findings, _ = check("ner", {"train": [entity("a", "O")], **rest})
    assert findings["no-entities"].level == "error"
    _, findings, _ = check("ner", {"train": [entity("a b", "S-X PER")], **rest})
    assert findings["unusable-data"].level == "error" and "PER" in findings["unusable-data"].message


def question(question, context, *answers):
    return {
        "question": question,
        "context": context,
        "answers": {"text": [a for a, _ in answers], "answer_start": [s for _, s in answers]},
    }


def test_answers():
    context = "Anna lives in Lisbon."
    train = [
        question("where?", context, ("Lisbon", 14)),
        question("who?", context, ("Anna", 1)),
        question("old?", context),
    ]
    rest = {
        "validation": [question("q", "It is so.", ("so", 6))],
        "test": [question("what?", context, ("Anna", 0), ("Anna lives", 0))],
    }
    report, findings, _ = check("qa", {"train": train, **rest})
    assert report.kinds["answerable"]["train"] == 2 and report.kinds["unanswerable"] == {
        "train": 1,
        "validation": 0,
        "test": 0,
    }
    assert findings["misaligned-answers"].count == 1 and findings["shared-contexts"].count == 1
    assert findings["several-answers"].level == "note" and "no-blanks" not in findings
    _, findings, _ = check("qa", {"train": train, **rest}, options={"unanswerable": False})
    assert findings["unanswerable-questions"].count == 1
    chinese = question("谁？", "北京是中华人民共和国的首都，也是全国的政治中心。", ("北京", 0))
    splits = {"train": train, "validation": rest["validation"], "test": [chinese]}
    assert (
        "no-blanks" in check("qa", splits)[1] and "no-blanks" not in check("qa", splits, options={"unit": "character"})[1]
    )


def test_translations():
    pairs = [
        {"source": f"the house number {number} is old", "target": f"das Haus Nummer {number} ist alt"}
        for number in range(20)
    ]
    odd = [
        {"source": "the same text", "target": "the same text"},
        {
            "source": "a short one",
            "target": "ein sehr langer Satz, der gar nichts mit dem anderen zu tun hat, wirklich gar nichts",
        },
        {"source": "empty", "target": ""},
        {"source": "two", "target": ["zwei", "deren zwei"]},
    ]
    _, findings, _ = check(
        "translation",
        {
            "train": pairs + odd,
            "validation": [{"source": "v", "target": "w"}],
            "test": [{"source": "x", "target": "y"}],
        },
    )
    assert {code: finding.count for code, finding in findings.items()} == {
        "copied-sources": 1, "length-ratio": 1, "empty-rows": 1, "several-references": 1,
    }  # fmt: skip
    assert "empty target" in findings["empty-rows"].message


def test_checks_a_plugin_family_without_own_checks():
    class Bare(TaskFamily):
        name, description = "bare", "x"
        columns = {"body": "text", "label": "what"}
        head, primary_metric = "x:Y", "accuracy"

        def example(self, row, task):
            return row

        reference = score = trivial = example

    rows = [{"body": "a b", "label": 1}, {"body": "a b", "label": 2}, {"body": "&lt;", "label": 1}]
    report, _ = examine(
        Task(
            "t",
            "bare",
            GeneratedSource(lambda: {"train": rows, "test": rows[2:], "validation": [{"body": "z", "label": 1}]}, "x"),
        ),
        Bare(),
    )
    assert {finding.code for finding in report.findings} == {"duplicate-rows", "train-test-overlap", "html-remains"}
    assert [one.column for one in report.lengths] == ["body"] * 3 and report.kinds == {}


@pytest.mark.parametrize(
    "name", [name for name, task in registry.tasks().items() if not isinstance(task.source, HubSource)]
)
def test_registered_tasks_have_no_errors(name):
    task = registry.tasks()[name]
    report, _ = examine(task, registry.family(task.family))
    assert not report.of("error")
    assert report.rows["test"] and report.split_rule


def test_warnings_of_a_record_quote_no_text():
    rows = {
        "train": texts(("private words", "a"), ("private words", "b"), ("x", "a")),
        "validation": GOOD,
        "test": texts(("private words", "a"), ("y", "b")),
    }
    task = Task("t", "sentiment", GeneratedSource(lambda: rows, "test"))
    family = registry.family("sentiment")
    kept = warnings(load_data(task, family), task, family)
    assert len(kept) == 3 and not any("private" in line for line in kept)


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_seconds():
    import time

    rows = texts(
        *((f"row {number} has a text of about a dozen words é, as usual", str(number % 3)) for number in range(100_000))
    )
    begun = time.process_time()
    report, _, _ = check("sentiment", {"all": rows})
    assert sum(report.rows.values()) == 100_000
    assert time.process_time() - begun < 10


def test_toy_data_have_no_findings():
    splits = {name: list({row["text"]: row for row in rows}.values()) for name, rows in toy.sentiment().items()}
    assert check("sentiment", splits)[1] == {}


LONG = "Lorem ipsum " * 400 + "x"


@pytest.mark.parametrize(
    ("family", "rows", "more"),
    [
        ("sentiment", {"all": texts(*((f"text {n}", f"{'ab'[n % 2]}{LONG}") for n in range(40)))}, {}),
        ("sentiment", {"all": texts(*((f"text {n}", LONG) for n in range(40)))}, {}),  # one class
        ("sentiment", {"all": texts(*((f"text {n}", LONG + "aA"[n % 2]) for n in range(40)))}, {}),  # variants
        ("sentiment", {"all": texts(*((f"text {n}", LONG if n == 3 else "ab"[n % 2]) for n in range(40)))}, {}),  # a stray
        ("sentiment", {split: texts(*((f"{split} {n}", f"{split}{n % 2}{LONG}") for n in range(9))) for split in ("train", "test")}, {}),
        ("sentiment", {"all": texts(*((f"text {n}", LONG) for n in range(9)))}, {"labels": {LONG + "2": "b", "c": "c"}}),
        ("sentiment", {"all": texts(*((f"text {n}", "ab"[n % 2]) for n in range(40)))}, {"drop_labels": (LONG,)}),
        ("sentiment", {"all": texts(*((f"text {n}", "ab"[n % 2]) for n in range(40)))}, {"labels": {"a": "a", "b": "b", LONG: LONG}}),
        ("ner", {"all": [{"words": ["a"], "tags": [LONG]}] * 9}, {}),
        ("ner", {"all": [{"words": ["a", "b"], "tags": ["O", f"B-{LONG}"]}] * 30}, {}),
        ("ner", {"all": [{"words": ["a", "b"], "tags": ["O", LONG]}] * 9}, {"labels": {"O": "O", LONG + "2": "O"}}),
    ],
)  # fmt: skip
def test_long_labels_are_shortened(family, rows, more):
    report, _, _ = check(family, rows, **more)
    console = Console(width=100, file=io.StringIO())
    console.print(check_table(report))
    assert all(len(finding.message) < 1500 for finding in report.findings)
    assert len(console.file.getvalue()) < 7000


def test_warns_of_answers_that_are_choice_letters(tmp_path):
    def findings_of(answer):
        rows = [{"question": f"Who is {n}?", "context": f"Ann lives in Oslo {n}, I am told.", "answers": {"text": [answer], "answer_start": []}} for n in range(20)]
        for row in rows:
            row["answers"]["answer_start"] = [row["context"].index(answer)]
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        report, _ = examine(Task("t", "qa", FileSource("jsonl", {"all": tmp_path / "a.jsonl"})), registry.family("qa"))
        return {finding.code: finding for finding in report.findings}

    assert findings_of("A")["answers-inside-words"].count == 20
    assert all("answers-inside-words" not in findings_of(answer) for answer in ("Ann", "I", "Oslo 1"[:4]))


def test_warns_of_swapped_sides(tmp_path):
    pairs = [(f"the house is green {n}", f"das Haus ist grau {n}") for n in range(20)]

    def findings_of(test):
        for name, rows in (("train", pairs), ("test", test)):
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps({"source": a, "target": b}) + "\n" for a, b in rows))
        files = {name: tmp_path / f"{name}.jsonl" for name in ("train", "test")}
        report, _ = examine(Task("t", "translation", FileSource("jsonl", files)), registry.family("translation"))
        return {finding.code: finding.message for finding in report.findings}

    assert "are its sides swapped?" in findings_of([(b, f"{a} too") for a, b in pairs])["swapped-sides"]
    assert "swapped-sides" not in findings_of([(f"{a} too", b) for a, b in pairs])


def test_numbers_as_pairs_name_the_option_that_helps(tmp_path):
    (tmp_path / "a.tsv").write_text("".join(f"{1000 + n}\tthe house {n}\t{5000 + n}\tdas Haus {n}\n" for n in range(20)))
    task = Task("t", "translation", FileSource("pairs", {"all": tmp_path / "a.tsv"}))
    with pytest.raises(BenchError, match=r"data: \{format: pairs, source: N\}, N counted from 0"):
        load_data(task, registry.family("translation"))
    mended = Task("t", "translation", FileSource("pairs", {"all": tmp_path / "a.tsv"}, {"source": 1, "target": 3}))
    assert load_data(mended, registry.family("translation")).splits["train"][0]["source"].startswith("the house")


def test_missing_lines_of_both_sides_are_one_finding(tmp_path):
    def findings_of(english, german):
        (tmp_path / "a.en").write_text("\n".join(english) + "\n")
        (tmp_path / "a.de").write_text("\n".join(german) + "\n")
        files = {"all": {"source": str(tmp_path / "a.en"), "target": str(tmp_path / "a.de")}}
        report, _ = examine(Task("t", "translation", FileSource("lines", files)), registry.family("translation"))
        return {finding.code: finding for finding in report.findings}

    english, german = [f"the house is green {n}" for n in range(20)], [f"das Haus ist grau {n}" for n in range(20)]
    told = findings_of([*english, ""], ["", *german])["out-of-step"]
    assert told.count == 2 and told.message.startswith("1 row without a source and 1 row without a target")
    assert "out-of-step" not in findings_of([*english, "one more"], [*german, ""]) and "out-of-step" not in findings_of([*english, ""], [*german, ""])
