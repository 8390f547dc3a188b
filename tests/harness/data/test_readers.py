"""File readers on small files with the quirks of real ones."""

import gzip
import json

import pytest

from harness.data.readers import READERS, conll, delimited, json_rows, parallel, reader, squad_json
from harness.errors import BenchError, unknown


@pytest.fixture
def write(tmp_path):
    """write(name, text or bytes) -> path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


# --- any format --------------------------------------------------------------------------------------------------


def test_the_registered_formats_are_these():
    more = {"parquet", "arrow", "labelled", "spans", "tokens", "pairs", "tmx", "xlsx"}
    assert set(READERS) == {"csv", "tsv", "jsonl", "json", "conll", "squad", "lines"} | more


def test_unknown_format_and_unknown_option_name_the_nearest():
    with pytest.raises(BenchError, match="unknown file format 'cvs'; did you mean 'csv'"):
        reader("cvs", {})
    with pytest.raises(BenchError, match="'delimeter'; did you mean 'delimiter'"):
        reader("csv", {"delimeter": ";"})
    with pytest.raises(BenchError, match="'report'"):  # for callers, not for task files
        reader("csv", {"report": {}})


def test_a_long_list_of_valid_names_is_shortened():
    assert "and 70 more" in str(unknown("label", "x", range(100)))


def test_gzip_is_unpacked_whatever_the_file_name(write):
    body = gzip.compress(b"a,b\n1,2\n")
    assert (
        delimited.read_csv(write("x.csv.gz", body))
        == delimited.read_csv(write("x.csv", body))
        == [{"a": "1", "b": "2"}]
    )
    with pytest.raises(BenchError, match="broken gzip"):
        delimited.read_csv(write("y.csv.gz", body[:-9]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,\xff\n", "x:2: not utf-8-sig text"),
        (b"a,b\n1,2\n3,\x00\n", "x:3: holds a NUL"),
        (b"PAR1\x15\x00\x15\xb2\x8e", "x: is no text but a Parquet file; call it .parquet"),
        (b"\x80\x04\x95\x10\x00", "x: is no text but a pickle"),
        (b"%PDF-1.7\n%\xe2\xe3", "x: is no text but a PDF"),
        ("a,b\n1,2\n".encode("utf-16"), "x:1: not utf-8-sig text"),
    ],
)
def test_binary_contents_are_refused_with_their_line(write, content, words):
    with pytest.raises(BenchError, match=words):
        delimited.read_csv(write("x", content))


def test_encodings(write):
    assert delimited.read_csv(write("x", "é\n1\n".encode("utf-16")), encoding="utf-16") == [{"é": "1"}]
    with pytest.raises(BenchError, match="unknown encoding 'utf8000'"):
        delimited.read_csv(write("x", "a\n"), encoding="utf8000")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(BenchError, match="no such file"):
        json_rows.read_json(tmp_path / "none.json")
    with pytest.raises(BenchError, match="cannot be read"):
        json_rows.read_json(tmp_path)


# --- csv and tsv -------------------------------------------------------------------------------------------------


def test_csv_quotes_line_ends_and_mark(write):
    path = write("x.csv", '\ufefftext,label\r\n"a ""b"", c\nd",NA\r\n\r\n" e",\r\n')
    assert delimited.read_csv(path) == [{"text": 'a "b", c\nd', "label": "NA"}, {"text": " e", "label": ""}]


def test_csv_header_options(write):
    path = write("x.csv", "1,a\n2,b\n")
    assert delimited.read_csv(path, header=False) == [{"0": "1", "1": "a"}, {"0": "2", "1": "b"}]
    assert delimited.read_csv(path, header=["y", "x"])[1] == {"y": "2", "x": "b"}
    assert delimited.read_csv(write("i.csv", ",text\n0,a\n")) == [{"0": "0", "text": "a"}]
    assert delimited.read_csv(write("e.csv", "")) == []
    with pytest.raises(BenchError, match="'a' occurs twice"):
        delimited.read_csv(write("d.csv", "a,a\n1,2\n"))


def test_quotes_in_a_tsv_are_text_by_default(write):
    path = write("x.tsv", 'a\tb\n"one\t1\ntwo\r\ttoo"\t2\n'.replace("\r\ttoo", "\rtoo"))
    assert delimited.read_tsv(path) == [{"a": '"one', "b": "1"}, {"a": 'two\rtoo"', "b": "2"}]
    assert delimited.read_tsv(write("q.tsv", 'a\tb\n"x\ty"\t1\n'), quoting="minimal") == [{"a": "x\ty", "b": "1"}]


def test_tsv_survives_unicode_line_separators_and_crlf(write):
    assert delimited.read_tsv(write("x.tsv", "a\tb\r\nx\u2028y\x85z\t1\r\n")) == [{"a": "x\u2028y\x85z", "b": "1"}]


def test_ragged_rows_are_named_by_the_line_they_start_on(write):
    with pytest.raises(BenchError, match=r"x.csv:4: 1 fields where 2 columns are expected \(a, b\)"):
        delimited.read_csv(write("x.csv", 'a,b\n"1\n1",2\n3\n'))
    with pytest.raises(BenchError, match=r"x.tsv:2: 3 fields"):
        delimited.read_tsv(write("x.tsv", "1\t2\n1\t2\t3\n"), header=False)


@pytest.mark.parametrize("text", ['a,b\n"open,1\n', 'a,b\n"x"y,1\n'])
def test_broken_quotes_are_an_error_and_not_a_swallowed_file(write, text):
    with pytest.raises(BenchError, match=r"x.csv:2: broken CSV .*quoting: none"):
        delimited.read_csv(write("x.csv", text))


def test_long_fields_and_no_trace_in_the_csv_module(write):
    import csv

    before = csv.field_size_limit()
    csv.field_size_limit(1000)
    assert len(delimited.read_csv(write("x.csv", "a\n" + "x" * 300_000 + "\n"))[0]["a"]) == 300_000
    assert csv.field_size_limit(before) == 1000


def test_csv_options_are_checked(write):
    with pytest.raises(BenchError, match="unknown quoting 'some'"):
        delimited.read_csv(write("x.csv", "a\n"), quoting="some")
    with pytest.raises(BenchError, match="must be one character"):
        delimited.read_csv(write("x.csv", "a\n"), delimiter="||")


def test_several_files_are_read_one_after_the_other(write):
    paths = [write("1.csv", "a\n1\n"), write("2.csv", "a\n2\n")]
    assert [row["a"] for row in delimited.read_csv(paths)] == ["1", "2"]


# --- json --------------------------------------------------------------------------------------------------------


def test_jsonl(write):
    path = write("x.jsonl", '\ufeff{"a": 1}\r\n\n{"a": "x\u2028y"}\n')
    assert json_rows.read_jsonl(path) == [{"a": 1}, {"a": "x\u2028y"}]
    with pytest.raises(BenchError, match=r"x.jsonl:2: broken JSON"):
        json_rows.read_jsonl(write("x.jsonl", '{"a": 1}\n{"a": \n'))
    with pytest.raises(BenchError, match=r"x.jsonl:1: list instead of an object"):
        json_rows.read_jsonl(write("x.jsonl", "[1]\n"))


def test_json(write):
    rows = [{"a": 1}, {"a": None}]
    assert json_rows.read_json(write("x.json", json.dumps(rows))) == rows
    assert json_rows.read_json(write("x.json", json.dumps({"data": rows}))) == rows
    with pytest.raises(BenchError, match=r"x.json:2: broken JSON"):
        json_rows.read_json(write("x.json", '[{"a": 1},\n{]'))
    with pytest.raises(BenchError, match="neither a list"):
        json_rows.read_json(write("x.json", '{"rows": []}'))
    with pytest.raises(BenchError, match="neither a list"):
        json_rows.read_json(write("x.json", '{"items": [{"a": 1}], "more": [{"a": 2}]}'))
    with pytest.raises(BenchError, match="element 1 is int"):
        json_rows.read_json(write("x.json", '[{"a": 1}, 2]'))


# --- conll -------------------------------------------------------------------------------------------------------


def test_conll_tokens_sentences_and_documents(write):
    path = write(
        "x.conll", "-DOCSTART- -X- O\n\n# -X- O\nEU NNP I-ORG\n\n\n-DOCSTART- -X- O\nrest\tNN  O\r\n-DOCSTART- -X- O\n"
    )
    report = {}
    assert conll.read(path, report=report) == [
        {"words": ["#", "EU"], "tags": ["O", "B-ORG"], "group": "0"},
        {"words": ["rest"], "tags": ["O"], "group": "1"},
    ]
    assert report == {"scheme": "io", "entities": 1, "irregular": 0, "sentences": 2, "documents": 2}


def test_conll_without_documents_has_no_group_and_files_do_not_share_documents(write):
    plain, marked = write("1", "a O"), write("2", "-DOCSTART- O\nb O\n\n-DOCSTART- O\n\nc O\n")
    assert conll.read(plain) == [{"words": ["a"], "tags": ["O"]}]
    assert [row["group"] for row in conll.read([plain, marked, plain])] == ["0", "1", "2", "3"]
    assert conll.read(write("3", "")) == []


def test_conll_odd_blanks_are_tokens(write):
    path = write("x", "\u3000 O\n\xa0 O\n\x85 B-X\n")
    assert conll.read(path)[0]["words"] == ["\u3000", "\xa0", "\x85"]


def test_conll_columns_separator_and_comment(write):
    path = write("x", "# id 1\n1\tNew York\tB-LOC\tO\n2\tis\tO\tO\n")
    rows = conll.read(path, separator="\t", words=1, tags=2, comment="# ")
    assert rows == [{"words": ["New York", "is"], "tags": ["B-LOC", "O"]}]
    with pytest.raises(BenchError, match=r"x:2: 4 column\(s\), so none with index 7"):
        conll.read(path, separator="\t", words=7, comment="# ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a O\nb c O\n", r"x:2: 3 column\(s\) where lines have 2"),
        ("a\n", r"x:1: 1 column\(s\)"),
        ("a O\nb B-X\nc NN\n", r"x:3: 'NN' is no tag"),
        ("a B-X\n\nb M-X\nc I-X\n", r"x:4: a tag with I- after tags with B, M: no scheme has them all"),
        (
            "a B-X\nb I-X\nc O\nd B-X\ne I-X\nf O\ng S-X\n",
            r"x:1: from here on 2 of 3 entities break the rules of bioes",
        ),
    ],
)
def test_invalid_conll_files(write, text, words):
    with pytest.raises(BenchError, match=words):
        conll.read(write("x", text))


@pytest.mark.parametrize("separator", ["\t", None])
@pytest.mark.parametrize("text", ["a\tO\n\tO\n", "a\tO\n \tO\n", "a\tNN\tO\n\tNN\tO\n", "Mr T\tNN\tO\n\tNN\tO\n", "a\tO\t\n\tO\t\n"])
def test_conll_token_without_text(write, text, separator):
    tags = 1 if text.endswith("\t\n") else -1
    with pytest.raises(BenchError, match="x:2: a token without text"):
        conll.read(write("x", text), separator=separator, tags=tags)


def test_conll_an_empty_column_stays_a_column(write):
    """Of four columns the second may be empty and the first hold a blank: at blanks these were four as well."""
    report = {}
    rows = conll.read(write("x", "New York\t\tx\tB-LOC\nis\tVB\ty\tO\n"), report=report)
    assert rows == [{"words": ["New York", "is"], "tags": ["B-LOC", "O"]}] and report["words_with_blanks"] == 1
    rows = conll.read(write("x", "a \tO\t\nb\tB-X\t\n"))  # a tab at the end of each line is no column
    assert rows == [{"words": ["a", "b"], "tags": ["O", "B-X"]}]
    with pytest.raises(BenchError, match="x:2: '' is no tag"):
        conll.read(write("x", "a\tO\nb\t\n"))


def test_conll_skipped_lines_and_other_tag_columns_are_reported(write):
    text = "# 1\nAnn B-PER O\nat O O\nBank B-ORG B-LOC\n\n#2\nx O O\n"
    report = {}
    conll.read(write("x", text), comment="#", report=report)
    assert report["comments"] == 2
    assert report["other_tags"] == "tags are from column 2 (25.0% are not O), and column 1 (50.0% are not O) holds tags too"
    for given in ({"tags": 1}, {"tags": 2}):
        report = {}
        conll.read(write("x", text), comment="#", report=report, **given)
        assert "other_tags" not in report
    report = {}
    conll.read(write("x", "Ann NNP B-PER\nO O O\n"), report=report)  # parts of speech are no tags
    assert "other_tags" not in report and "comments" not in report


# --- squad -------------------------------------------------------------------------------------------------------


def squad_file(qas, context="The cat sat. The dog sat.", **article):
    return json.dumps({"version": "2.0", "data": [{**article, "paragraphs": [{"context": context, "qas": qas}]}]})


def question(id="q", answers=((4, "cat"),), **more):
    return {"id": id, "question": "?", "answers": [{"text": text, "answer_start": at} for at, text in answers], **more}


def test_squad_rows(write):
    impossible = question(2, [(4, "cat")], is_impossible=True)
    path = write("x.json", "\ufeff" + squad_file([question(7), impossible, question("c", [])], title="Pets"))
    report = {}
    rows = squad_json.read(path, report=report)
    assert rows[0] == {
        "id": "7",
        "title": "Pets",
        "group": "Pets",
        "context": "The cat sat. The dog sat.",
        "question": "?",
        "answers": {"text": ["cat"], "answer_start": [4]},
    }
    assert [row["id"] for row in rows] == ["7", "2", "c"]
    assert rows[1]["answers"] == rows[2]["answers"] == {"text": [], "answer_start": []}
    counts = {"questions": 3, "unanswerable": 2, "answers": 1, "misaligned": 0, "repaired": 0}
    assert report == {**counts, "impossible_with_answers": 1}
    plausible = question(2, [], is_impossible=True, plausible_answers=[{"text": "cat", "answer_start": 4}])
    squad_json.read(write("y.json", squad_file([question(7), plausible, question("c", [])])), report=report)
    report.pop("impossible_with_answers")  # of the first file: a reader adds to a report
    assert report == counts


def test_squad_articles_without_title_are_groups_too(write):
    paths = [write("1", squad_file([question()])), write("2", squad_file([question()]))]
    assert [row["group"] for row in squad_json.read(paths)] == ["0", "1"]


def test_squad_counts_code_points(write):
    rows = squad_json.read(write("x", squad_file([question(answers=[(3, "cat")])], "😀é cat")))
    assert rows[0]["answers"] == {"text": ["cat"], "answer_start": [3]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "list instead of SQuAD's object"),
        ({"rows": []}, "'data' is missing; found: rows"),
        ({"data": [{"title": "t"}]}, r"x: data\[0\]: 'paragraphs' is missing"),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, r"data\[0\].paragraphs\[0\]: 'context' is missing"),
        ({"data": [{"paragraphs": [{"context": "c", "qas": [{"id": 1}]}]}]}, r"qas\[0\]: 'question' is missing"),
        ({"data": [{"paragraphs": "no"}]}, r"data\[0\].paragraphs: must be a list of objects"),
    ],
)
def test_squad_errors_name_the_place_inside_the_file(write, content, words):
    with pytest.raises(BenchError, match=words):
        squad_json.read(write("x", json.dumps(content)))


def test_squad_answers_must_be_usable(write):
    with pytest.raises(BenchError, match=r"answers\[0\].answer_start: 'x' is not a whole number"):
        squad_json.read(write("x", squad_file([question(answers=[("x", "cat")])])))
    with pytest.raises(BenchError, match=r"answers\[0\].text: ''"):
        squad_json.read(write("x", squad_file([question(answers=[(4, "")])])))
    with pytest.raises(BenchError, match=r"answers\[0\].text: list instead of a text"):
        squad_json.read(write("x", squad_file([question(answers=[(4, ["cat"])])])))
    rows = squad_json.read(write("x", squad_file([question(answers=[(-1, "")]), question(answers=[(4.0, "cat")])])))
    assert [row["answers"]["text"] for row in rows] == [[], ["cat"]]


@pytest.mark.parametrize(
    ("written", "impossible"),
    [(True, True), ("True", True), ("yes", True), ("1", True), (1, True), (1.0, True), (" TRUE ", True)]
    + [(False, False), ("False", False), ("false", False), ("no", False), ("0", False), (0, False), (None, False), ("", False)],
)
def test_squad_truth_values(write, written, impossible):
    report = {}
    rows = squad_json.read(write("x", squad_file([question(is_impossible=written)])), report=report)
    assert rows[0]["answers"]["text"] == ([] if impossible else ["cat"])
    assert report.get("truth_values", 0) == (not isinstance(written, bool))
    assert report.get("impossible_with_answers", 0) == impossible


@pytest.mark.parametrize("written", ["maybe", 2, [], {}, -1, "falsch"])
def test_squad_an_invalid_truth_value_is_an_error_with_its_path(write, written):
    with pytest.raises(BenchError, match=r"qas\[1\].is_impossible: .* is not a truth value; write true or false"):
        squad_json.read(write("x", squad_file([question(), question(is_impossible=written)])))


# --- lines -------------------------------------------------------------------------------------------------------


def test_parallel_lines(write):
    source = write("a.en", "one\u2028two\r\n  three\x85\rfour \n\nlast")
    target = write("a.de", "eins\xa0zwei\ndrei\nleer\nletzte\n")
    report = {}
    assert parallel.read_lines({"source": source, "target": target}, report=report) == [
        {"source": "one\u2028two", "target": "eins\xa0zwei"},
        {"source": "three\x85\rfour", "target": "drei"},
        {"source": "", "target": "leer"},
        {"source": "last", "target": "letzte"},
    ]
    assert report == {"empty": 1}


def test_parallel_files_of_different_length(write):
    with pytest.raises(BenchError, match=r"a.en: 2, .*a.de: 1"):
        parallel.read_lines({"source": write("a.en", "1\n2\n"), "target": write("a.de", "1\n")})
    with pytest.raises(BenchError, match="2 for source, 1 for target"):
        parallel.read_lines({"source": [write("1", "1"), write("2", "2")], "target": write("3", "3")})


def test_a_file_per_column_belongs_to_lines_only(write):
    with pytest.raises(BenchError, match="needs a file per column"):
        parallel.read_lines(write("a", "1"))
    with pytest.raises(BenchError, match="only format 'lines'"):
        delimited.read_csv({"text": write("a", "1")})


def test_a_file_without_blank_lines_is_refused_with_a_fix(write):
    tokens = ("Rennes I-LOC\nest O\ncalme O\n. O\n" * 60).strip() + "\n"
    with pytest.raises(BenchError, match=r"x.bio: 240 tokens in one sentence, as no blank line ends one; .*awk '.print. .* x.bio > sentences.bio"):
        conll.read(write("x.bio", tokens))
    assert len(conll.read(write("x.bio", tokens.replace(". O\n", ". O\n\n")))) == 60
    assert len(conll.read(write("x.bio", "Rennes I-LOC\nest O\n"))) == 1
