"""Implausible labels, tags and words: the findings, and the errors that stop a run."""

import json

import pytest

from harness import registry
from harness.check.labels import canonical
from harness.check.report import examine, validate, warnings
from harness.data.source import FileSource, GeneratedSource
from harness.errors import BenchError
from harness.guess.guess import guess
from harness.planning.quick import quick_task
from harness.planning.taskfile import load_task
from harness.task import Task
from harness.task_data import load_data


def table(folder, name, rows, header="text,label"):
    path = folder / name
    path.write_text(header + "\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows), encoding="utf-8")
    return path


def labelled(*labels, start=0):
    return [(f"text number {start + number}", label) for number, label in enumerate(labels)]


def findings_of(path, family="text-classification", **values):
    task = Task("t", family, FileSource("csv", {"all": path}), **values)
    return {finding.code: finding for finding in examine(task, registry.family(family))[0].findings}


def folder(tmp_path, train, test, validation=None):
    table(tmp_path, "train.csv", labelled(*train))
    table(tmp_path, "test.csv", labelled(*test, start=1000))
    if validation:
        table(tmp_path, "validation.csv", labelled(*validation, start=2000))
    return quick_task(registry.family("sentiment"), str(tmp_path))


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (
            ("Good", "Bad"),
            ("good", "bad"),
            r'no label of test is in train.*train has Bad, Good; test has bad, good; these look like the same.*"good": "Good"',
        ),
        (("a b", "c"), ("a_b", "C"), "no label of test is in train.*these look like the same"),
        ("ab", "xy", "test has x, y; write them alike"),
        ("01", ("-1", "-1"), r"test has no labels \(-1 in all 12 rows\): leave it out"),
        ("01", ("?", "?"), "test has no labels"),
    ],
)
def test_split_without_labels_of_train_stops_the_plan(tmp_path, train, test, words):
    task = folder(tmp_path, [*train] * 10, [*test] * 6)
    with pytest.raises(BenchError, match=words):
        validate(task)
    report, _ = examine(task, registry.family("sentiment"))
    assert [finding.code for finding in report.of("error")] == ["labels-unlike-train"]
    assert not {"unseen-labels", "one-class"} & {finding.code for finding in report.findings}


def test_validation_without_labels_of_train_stops_the_plan_and_a_worker(tmp_path):
    with pytest.raises(BenchError, match="no label of validation is in train"):
        validate(folder(tmp_path, ["a", "b"] * 10, ["a", "b"], ["A", "B"]))
    rows = {
        "train": [{"text": f"t{n}", "label": "ab"[n % 2]} for n in range(8)],
        "validation": [{"text": "v", "label": "a"}],
    }
    task = Task("t", "sentiment", GeneratedSource(lambda: {**rows, "test": [{"text": "x", "label": "-"}]}, "g"))
    family = registry.family("sentiment")
    with pytest.raises(BenchError, match="test has no labels"):
        warnings(load_data(task, family), task, family)


def test_single_common_label_is_a_warning(tmp_path):
    report, _ = examine(folder(tmp_path, ["a", "b"] * 10, ["a", "c"] * 3), registry.family("sentiment"))
    assert not report.of("error") and "unseen-labels" in {finding.code for finding in report.findings}


def test_label_variants_are_one_warning_with_a_mapping(tmp_path):
    names = [
        "good",
        "Good",
        "GOOD",
        "good\u200b",
        "g\u043e\u043ed",
        "bad",
        "ｂａｄ",
        "cafe\u0301",
        "café",
        "other thing",
        "other_thing",
    ]
    path = table(tmp_path, "a.csv", labelled(*names * 6))
    finding = findings_of(path)["label-variants"]
    assert finding.level == "warning" and finding.count == 11
    for line in (
        '"Good": ',
        '"good\\u200b": ',
        '"g\\u043e\\u043ed": ',
        '"cafe\\u0301": "café"',
        '"\\uff42\\uff41\\uff44": "bad"',
    ):
        assert line in finding.message
    import yaml

    lines = "labels: {" + finding.message.split("labels: {", 1)[1]
    mapping = yaml.safe_load(lines)["labels"]
    assert set(mapping) == set(names) and len(set(mapping.values())) == 4
    assert "label-variants" not in findings_of(path, labels=mapping)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "1.0", True), ("01", "1", True), ("4,5", "4.5", True), ("1", "-1", False), ("straße", "STRASSE", True), ("a", "b", False),
        ("Sci/Tech", "scitech", False), ("été", "ete", False), ("п", "n", False), ("0", "-0", True), ("1e3", "1000", False),
    ],
)  # fmt: skip
def test_canonical_labels(one, other, same):
    assert (canonical(one) == canonical(other)) is same


@pytest.mark.parametrize(
    "labels", [["0.5", "1.0", "2.5", "4.0"], ["1,5", "2,0", "3,5"], [f"{n / 10:.3f}" for n in range(30)]]
)
def test_warns_of_scores_as_labels(tmp_path, labels):
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\n" + "".join(f"text {n}\t{label}\n" for n, label in enumerate(labels * 6)))
    task = Task("t", "sentiment", FileSource("tsv", {"all": path}))
    report, _ = examine(task, registry.family("sentiment"))
    assert {"scores-as-labels"} == {finding.code for finding in report.findings}
    assert "warning: the labels are numbers with fractions" in validate(task)


def test_integers_and_stars_are_not_scores(tmp_path):
    for labels in (["1", "2", "3"], ["1.0", "2.0", "3.0"], ["0", "1"]):
        assert not findings_of(table(tmp_path, "a.csv", labelled(*labels * 10)))


def test_warns_of_nearly_as_many_labels_as_rows(tmp_path):
    assert "many-labels" in findings_of(table(tmp_path, "a.csv", labelled(*[f"name {n // 2}" for n in range(60)])))


@pytest.mark.parametrize("label", ["-", "nan", "NaN", "unlabeled", "N/A", "?", "None", "-1"])
def test_warns_of_unlabelled_rows_which_can_be_dropped(tmp_path, label):
    path = table(tmp_path, "a.csv", labelled(*["0", "1", "2"] * 10, *[label] * 5))
    finding = findings_of(path)["unlabelled-rows"]
    assert finding.count == 5 and f'drop_labels: ["{label}"]' in finding.message
    (tmp_path / "t.yaml").write_text(
        f'family: text-classification\ndata: {{format: csv, files: a.csv}}\nlabels: [bad, so so, good]\ndrop_labels: ["{label}"]\n'
    )
    task = load_task(tmp_path / "t.yaml")
    assert (
        validate(task)
        == "rows: train 18, validation 6, test 6; 3 labels: bad, so so, good; 5 rows dropped by drop_labels"
    )
    assert task.identity()["drop_labels"] == [label] and "drop_labels" not in Task("t", "ner", task.source).identity()


def test_drops_rows_with_an_empty_label(tmp_path):
    path = table(tmp_path, "a.csv", labelled(*["a", "b", ""] * 10))
    task = Task("t", "sentiment", FileSource("csv", {"all": path}))
    with pytest.raises(BenchError, match=r'no label; .* drop_labels: \[""\]'):
        validate(task)
    assert "10 rows dropped" in validate(Task("t", "sentiment", FileSource("csv", {"all": path}), drop_labels=("",)))


def test_minus_one_may_be_a_polarity_and_none_a_class(tmp_path):
    assert not findings_of(table(tmp_path, "a.csv", labelled(*["-1", "0", "1"] * 10)))
    assert not findings_of(table(tmp_path, "a.csv", labelled(*["NONE", "FAVOR", "AGAINST"] * 10)))
    pairs = [(f"a {n}", f"b {n}", ("-1", "0", "1")[n % 3]) for n in range(30)]
    assert "unlabelled-rows" in findings_of(table(tmp_path, "b.csv", pairs, "text,text_pair,label"))


def test_rejects_drop_labels_of_another_type(tmp_path):
    for wrong in ("{a: b}", "[true]", "[[a]]"):
        (tmp_path / "t.yaml").write_text(
            f"family: sentiment\ndata: {{format: csv, files: a.csv}}\ndrop_labels: {wrong}\n"
        )
        with pytest.raises(BenchError, match=r"t.yaml:3: drop_labels"):
            load_task(tmp_path / "t.yaml")


def test_warns_of_joined_labels(tmp_path):
    for sign in (";", "|", "+"):
        path = table(tmp_path, "a.csv", labelled(*["joy", "anger", f"joy{sign}anger", f"anger{sign}fear", "fear"] * 6))
        assert findings_of(path)["joined-labels"].count == 12
    assert not findings_of(table(tmp_path, "a.csv", labelled(*["Sci/Tech", "World", "Sports", "Business"] * 6)))


def sentences(folder, *rows):
    path = folder / "a.conll"
    path.write_text("".join("".join(f"{line}\n" for line in row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("start", [0, 1])
def test_rejects_numbered_words(tmp_path, start):
    path = sentences(tmp_path, *[(f"{start} Ann{n} B-PER", f"{start + 1} ran O") for n in range(20)])
    with pytest.raises(BenchError, match=r"the words of 20 sentences count .*words: 1"):
        validate(Task("t", "ner", FileSource("conll", {"all": path})))
    assert "PER" in validate(Task("t", "ner", FileSource("conll", {"all": path}, {"words": 1})))


def test_rejects_rows_of_one_word(tmp_path):
    path = sentences(tmp_path, *[(f"Ann{n} {'B-PER' if n % 2 else 'O'}",) for n in range(40)])
    with pytest.raises(BenchError, match="each of the 40 rows holds one word"):
        validate(Task("t", "ner", FileSource("conll", {"all": path})))


def test_warns_of_one_type_on_most_words(tmp_path):
    path = sentences(tmp_path, *[(f"Ann{n} PER", "ran _", "off _", "again _") for n in range(20)])
    report, _ = examine(Task("t", "ner", FileSource("conll", {"all": path}, {"scheme": "io"})), registry.family("ner"))
    assert "75% of the words are of the type _" in next(
        one.message for one in report.findings if one.code == "one-type"
    )


def test_rejects_a_test_with_hidden_tags(tmp_path):
    files = {}
    for name, tag in (("train", "B-PER"), ("validation", "B-PER"), ("test", "O")):
        files[name] = tmp_path / f"{name}.conll"
        files[name].write_text("".join(f"Ann{n} {tag}\nran O\n\n" for n in range(9)))
    with pytest.raises(BenchError, match="test has no entity in 9 rows, so every score on it is 0"):
        validate(Task("t", "ner", FileSource("conll", files)))


def test_reports_another_column_of_tags(tmp_path):
    path = sentences(
        tmp_path, *[(f"Ann{n} B-PER O", "ran O O", f"off O {'B-LOC' if n == 1 else 'O'}") for n in range(30)]
    )
    report, _ = examine(Task("t", "ner", FileSource("conll", {"all": path})), registry.family("ner"))
    (finding,) = [one for one in report.findings if one.code == "other-tags"]
    assert finding.level == "warning"
    assert "tags are from column 2 (1.1% are not O), and column 1 (33.3% are not O) holds tags too" in finding.message


def groups(values, rows=90):
    return [(f"text number {n}", "ab"[n % 2], f"g{n % values}") for n in range(rows)]


def test_reports_the_column_group_and_how_to_ignore_it(tmp_path):
    path = table(tmp_path, "a.csv", groups(30), "text,label,group")
    quick = quick_task(registry.family("sentiment"), str(path))
    assert "rows of a group (30 values of the column 'group') stay together; `group: null`" in validate(quick)
    (tmp_path / "t.yaml").write_text("family: sentiment\ndata: {format: csv, files: a.csv}\ncolumns: {group: null}\n")
    task = load_task(tmp_path / "t.yaml")
    data = load_data(task, registry.family("sentiment"))
    assert "group" not in data.rule and not any("group" in row for rows in data.splits.values() for row in rows)
    assert "stay together" not in validate(task)


def test_few_groups_are_split_by_rows_unless_named(tmp_path):
    path = table(tmp_path, "a.csv", groups(3), "text,label,group")
    data = load_data(quick_task(registry.family("sentiment"), str(path)), registry.family("sentiment"))
    assert [len(rows) for rows in data.splits.values()] == [
        54,
        18,
        18,
    ] and "group has 3 values only, too few" in data.rule
    task = Task(
        "t", "sentiment", FileSource("csv", {"all": path}), columns={"text": "text", "label": "label", "group": "group"}
    )
    data = load_data(task, registry.family("sentiment"))
    assert [len({row["group"] for row in rows}) for rows in data.splits.values()] == [1, 1, 1]


def test_ignores_a_phenomenon_with_too_many_values(tmp_path):
    rows = [(f"text number {n}", "ab"[n % 2], f"note {n}") for n in range(90)]
    path = table(tmp_path, "a.csv", rows, "text,label,phenomenon")
    task = Task("t", "sentiment", FileSource("csv", {"all": path}))
    assert "the column 'phenomenon' has 90 values, too many" in validate(task)
    assert not any("phenomenon" in row for row in load_data(task, registry.family("sentiment")).splits["test"])
    path = table(tmp_path, "b.csv", [(*row[:2], f"p{n % 3}") for n, row in enumerate(rows)], "text,label,phenomenon")
    data = load_data(Task("t", "sentiment", FileSource("csv", {"all": path})), registry.family("sentiment"))
    assert {row["phenomenon"] for row in data.splits["test"]} == {"p0", "p1", "p2"}


def test_warns_of_blank_words_and_words_with_blanks(tmp_path):
    rows = [
        {"words": ["", "Ann Lee lives", " ", "in", str(n)], "tags": ["O", "B-PER", "O", "O", "O"]} for n in range(30)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report, _ = examine(Task("t", "ner", FileSource("jsonl", {"all": tmp_path / "a.jsonl"})), registry.family("ner"))
    told = {finding.code: finding.count for finding in report.findings}
    assert told["blank-words"] == 60 and told["words-with-blanks"] == 30


@pytest.mark.parametrize("stray", [("60", "Total"), ("class of it", "review text")])
def test_warns_of_stray_labels(tmp_path, stray):
    rows = labelled(*"ab" * 20)
    told = findings_of(table(tmp_path, "a.csv", [*rows, stray[::-1]]))["stray-labels"]
    assert told.count == 1 and told.examples == ("a.csv:42",) and stray[0] in told.message
    assert "stray-labels" not in findings_of(table(tmp_path, "b.csv", rows))
    assert "stray-labels" not in findings_of(table(tmp_path, "c.csv", [*rows[:10], ("rare", "c")]))


def test_warns_of_an_unused_drop_label(tmp_path):
    path = table(tmp_path, "a.csv", labelled(*"ab" * 12))
    task = Task("t", "sentiment", FileSource("csv", {"all": path}), drop_labels=("aa", "b"))
    with pytest.raises(BenchError):  # b is dropped, and one class is left
        validate(task)
    task = Task("t", "sentiment", FileSource("csv", {"all": path}), drop_labels=("aa",))
    report, _ = examine(task, registry.family("sentiment"))
    assert [f.message for f in report.findings if f.code == "unused-drop-labels"] == [
        "drop_labels: no row has 'aa'; the labels there are: a, b"
    ]


@pytest.mark.parametrize("columns", [{"text": ["text", "label"]}, {"text_pair": "label"}, {"text": "label"}])
def test_rejects_one_column_as_text_and_label(tmp_path, columns):
    path = table(tmp_path, "a.csv", labelled(*"ab" * 12))
    task = Task(
        "t", "sentiment", FileSource("csv", {"all": path}), columns={"text": "text", "label": "label", **columns}
    )
    with pytest.raises(BenchError, match=r"columns: \w+ and label are both taken from 'label'"):
        validate(task)


def test_rejects_numbers_as_translations(tmp_path):
    (tmp_path / "a.tsv").write_text("".join(f"{n}\ta house number {n}\n" for n in range(30)))
    with pytest.raises(BenchError, match="the source of 30 rows is a number, as ids are"):
        validate(Task("t", "translation", FileSource("pairs", {"all": tmp_path / "a.tsv"})))


def test_reports_only_the_cause_if_all_rows_are_refused(tmp_path):
    """Cutting splits of no rows fails too, which is no cause."""
    rows = [{"text": f"text {n}", "label": ["a", "b"]} for n in range(30)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report, data = examine(
        Task("t", "sentiment", FileSource("jsonl", {"all": tmp_path / "a.jsonl"})), registry.family("sentiment")
    )
    told = [finding.message for finding in report.findings]
    assert data is None and len(told) == 4 and told[-1] == "and 27 more like these"
    assert all("a row has several labels (a, b)" in message for message in told[:3])


def test_reports_a_split_without_its_column_beside_refused_rows(tmp_path):
    table(tmp_path, "train.csv", [("a text", ""), ("another", "b")])
    table(tmp_path, "test.csv", [("a text", "b")], header="text,wrong")
    task = Task("t", "sentiment", FileSource("csv", {"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"}))
    told = " ".join(finding.message for finding in examine(task, registry.family("sentiment"))[0].findings)
    assert "no label" in told and "wrong" in told


def test_warns_of_classes_as_translations(tmp_path):
    lines = [f"text number {number} is here\t{'OTHER' if number % 3 else 'OFFENSE'}\tOTHER" for number in range(40)]
    (tmp_path / "x.txt").write_text("\n".join(lines) + "\n")
    assert guess(str(tmp_path / "x.txt"), list(registry.families().values()), "x", [])[0].task.family != "translation"
    task = quick_task(registry.family("translation"), str(tmp_path / "x.txt"))
    messages = {one.code: one.message for one in examine(task, registry.family("translation"))[0].findings}
    assert messages["few-targets"].startswith("the targets are 2 texts in 40 rows: these look like classes")


def test_warns_of_sentences_of_thousands_of_words():
    rows = [
        {"words": ["a"] * (1500 if number == 3 else 9), "tags": ["B-X"] + ["O"] * (1499 if number == 3 else 8)}
        for number in range(9)
    ]
    task = Task("t", "ner", GeneratedSource(lambda: {"train": rows, "validation": rows[:2], "test": rows[:2]}, "test"))
    codes = {one.code: one for one in examine(task, registry.family("ner"))[0].findings}
    assert codes["endless-sentences"].count == 1


@pytest.mark.parametrize(("others", "told"), [(("0", "1"), True), (("inf.", "sup."), False)])
def test_infinity_among_numbers_means_no_label(tmp_path, others, told):
    path = table(tmp_path, "x.csv", labelled(*[*others] * 10, *["-inf"] * 5))
    assert ("unlabelled-rows" in findings_of(path)) == told


def test_rejects_questions_without_any_answer():
    rows = [
        {"question": f"who {n}", "context": f"Ann {n}", "answers": {"text": [], "answer_start": []}} for n in range(9)
    ]
    task = Task("t", "qa", GeneratedSource(lambda: {"train": rows, "validation": rows[:2], "test": rows[:2]}, "test"))
    codes = {one.code: one for one in examine(task, registry.family("qa"))[0].findings}
    assert codes["no-answers"].level == "error"


@pytest.mark.parametrize(
    ("labels", "written"),
    [
        (("R&D", "R&amp;D", "Sales"), '"R&amp;D": "R&D"'),
        (("good", "\u200fgood", "bad"), r'"\u200fgood": "good"'),
        (("\ufeffgood", "good", "bad"), r'"\ufeffgood": "good"'),
    ],
)
def test_suggested_labels_are_valid_yaml(tmp_path, labels, written):
    rows = labelled(*labels * 10)
    told = findings_of(table(tmp_path, "a.csv", rows))["label-variants"].message
    assert written in told
    (tmp_path / "a.yaml").write_text("family: text-classification\ndata: {format: csv, files: a.csv}\n" + told[told.index("labels: {") :], encoding="utf-8")
    assert "2 labels" in validate(load_task(tmp_path / "a.yaml"))


def test_comma_between_thousands_is_not_a_fraction(tmp_path):
    told = findings_of(table(tmp_path, "a.csv", [(f"text number {n}", ["2500", '"2,500"', '"1,000"'][n % 3]) for n in range(30)]))
    assert "2,500 10, 2500 10" in told["label-variants"].message and "scores-as-labels" not in told
    assert canonical("1,000") == canonical("1000") != canonical("1") and canonical("3,5") == canonical("3.5")


def test_labels_joined_by_a_hash(tmp_path):
    told = findings_of(table(tmp_path, "a.csv", labelled(*("joy", "anger", "joy#anger") * 10)))
    assert "1 label of 10 rows" in told["joined-labels"].message
    assert "joined-labels" not in findings_of(table(tmp_path, "b.csv", labelled(*("C#", "C", "F#") * 10)))


def test_does_not_suggest_a_limit_for_label_variants(tmp_path):
    task = folder(tmp_path, ["yes", "no"] * 10, ["1", "0"] * 6).limited(10)
    with pytest.raises(BenchError, match="train has no, yes; test has 0, 1; write them alike, or raise the limit"):
        validate(task)


def test_warns_of_texts_that_mean_missing_values(tmp_path):
    rows = [(text if n % 5 == 0 else f"text number {n}", "ab"[n % 2]) for n, text in enumerate(["nan", "NULL", "nano"] * 20)]
    told = findings_of(table(tmp_path, "a.csv", rows))["missing-texts"]
    assert told.count == sum(row[0] in ("nan", "NULL") for row in rows) and "is read as a text like any other" in told.message


def test_warns_of_two_notations_of_truth_values(tmp_path):
    told = findings_of(table(tmp_path, "a.csv", labelled(*("1", "0", "False", "0") * 10)))["label-notations"].message
    assert "labels 0, 1, False say yes and no in 2 ways" in told
    (tmp_path / "a.yaml").write_text("family: text-classification\ndata: {format: csv, files: a.csv}\n" + told[told.index("labels: {") :])
    assert "2 labels: 0, 1" in validate(load_task(tmp_path / "a.yaml"))
    for labels in (("1", "0"), ("yes", "no"), ("yes", "no", "maybe", "1"), ("Y", "N")):
        assert "label-notations" not in findings_of(table(tmp_path, "b.csv", labelled(*labels * 10)))
