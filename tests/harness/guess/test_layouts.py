"""Published layouts of tables: each is read without an option, or asks one question."""

import csv
import io
import json

import pytest

from harness import registry
from harness.check.report import validate
from harness.errors import BenchError
from harness.guess.chosen_columns import read_columns
from harness.guess.guess import guess
from harness.planning.quick import quick_task
from harness.planning.taskfile import load_task
from harness.scaffold.new import from_data

ROWS = range(40)
WORDS = "late bag crew seat food gate plane staff queue coffee".split()


def text(number, words=9):
    return " ".join(WORDS[(number * 7 + place * (number % 3 + 1)) % len(WORDS)] for place in range(words)) + f", said {number}"


def table(header, make, mark=",", rows=ROWS):
    """A CSV as Python writes it; `header` None: without one."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark)
    if header is not None:
        writer.writerow(header)
    writer.writerows(make(number) for number in rows)
    return out.getvalue()


def lines(make):
    return "".join(json.dumps(make(number)) + "\n" for number in ROWS)


IMDB = table(["review", "sentiment"], lambda n: [text(n, 30), ("positive", "negative")[n % 2]])
AMAZON = lines(lambda n: {
    "reviewerID": f"A{n}XQ{n * 7}", "asin": f"B00{n}F", "reviewerName": f"reader {n}", "helpful": [0, n % 4], "reviewText": text(n, 25),
    "overall": float(n % 5 + 1), "summary": text(n, 3), "unixReviewTime": 1393545600 + n * 86400, "reviewTime": f"02 {n % 28 + 1}, 2014",
})  # fmt: skip
FOODS = table(
    ["Id", "ProductId", "UserId", "ProfileName", "HelpfulnessNumerator", "HelpfulnessDenominator", "Score", "Time", "Summary", "Text"],
    lambda n: [n + 1, f"B001E{n}", f"A3SGX{n}", f"name {n}", n % 3, n % 4, n % 5 + 1, 1303862400 + n, text(n, 3), text(n, 25)],
)  # fmt: skip
KINDS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
TOXIC = table(["id", "comment_text", *KINDS], lambda n: [f"{n:016x}", text(n, 20), *(int((n + k) % (k + 3) == 0) for k in range(6))])
AG = table(["Class Index", "Title", "Description"], lambda n: [n % 4 + 1, text(n, 5), text(n + 3, 20)])
SPAM = table(["v1", "v2", "", "", ""], lambda n: [("ham", "spam")[n % 3 == 0], text(n) + " for £5", "", "", "oops" if n == 7 else ""])
TWEETS = table(
    None, lambda n: [4 * (n % 2), 1467810369 + n, f"Mon Apr 06 22:19:{n:02d} PDT 2009", "NO_QUERY", f"_user{n}", text(n)]
)
NEWS = lines(lambda n: {
    "category": ("POLITICS", "SPORTS", "ARTS")[n % 3], "headline": text(n, 6), "authors": f"By {n}", "link": f"https://example.org/{n}",
    "short_description": text(n, 15), "date": f"2018-05-{n % 28 + 1:02d}",
})  # fmt: skip
QUORA = table(
    ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"], lambda n: [n, 2 * n, 2 * n + 1, text(n), text(n + 1), n % 2]
)
REPORTS = table(  # no usual name at all
    ["ref", "opened", "note", "handled"], lambda n: [f"R-{n}", f"2024-01-{n % 28 + 1:02d}", text(n, 20), ("yes", "no")[n % 2]]
)

LAYOUTS = {
    "IMDB": ("imdb.csv", IMDB, "sentiment", {"text": "review", "label": "sentiment"}, {}),
    "Amazon": ("reviews.json", AMAZON, "sentiment", {"text": "reviewText", "label": "overall"}, {"text": ["summary"]}),
    "fine foods": ("Reviews.csv", FOODS, "sentiment", {"text": "Text", "label": "Score"}, {"text": ["Summary"]}),
    "AG News": ("ag.csv", AG, "text-classification", {"text": ["Title", "Description"], "label": "Class Index"}, {}),
    "spam": ("spam.csv", SPAM.encode("latin-1"), "text-classification", {"text": "v2", "label": "v1"}, {}),
    "Sentiment140": ("tweets.csv", TWEETS, "sentiment", {"text": "5", "label": "0"}, {}),
    "HuffPost": ("news.json", NEWS, "text-classification", {"text": "headline", "label": "category"}, {"text": ["short_description"]}),
    "Quora": (
        "pairs.csv", QUORA, "text-classification", {"text": "question1", "text_pair": "question2", "label": "is_duplicate"}, {}
    ),
    "no usual name": ("reports.csv", REPORTS, "text-classification", {"text": "note", "label": "handled"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_finds_texts_and_labels(layout, tmp_path):
    name, content, family, columns, others = LAYOUTS[layout]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    task = quick_task(registry.family(family), str(path))
    assert dict(task.columns) == columns
    assert validate(task).startswith("rows: train 24, validation 8, test 8; ")
    (best, *_) = guess(str(path), [registry.family(family)], "x")
    assert {ours: list(names) for ours, names in best.others.items() if ours == "text"} == others
    for ours, names in best.others.items():
        assert f"{ours} could also be {names[0]!r} (" in task.description and f"--column {ours}={names[0]}" in task.description
    assert ("row 1: " in task.description) == bool(best.others)
    written, where, todo = from_data(str(path), None, tmp_path / "made.yaml")
    where.write_text(written)
    task = load_task(where)
    assert task.family == family and not todo
    assert {ours: str(theirs) if not isinstance(theirs, list) else theirs for ours, theirs in task.columns.items()} == columns


def test_airline_tweets(shared, tmp_path):
    path = shared / "cases/50-kaggle-airline/Tweets.csv"
    task = quick_task(registry.family("sentiment"), str(path))
    assert dict(task.columns) == {"text": "text", "label": "airline_sentiment"}
    assert "row 1: text '@Nordfly two hours on the tarmac, again…', label 'negative'" in task.description
    assert "label could also be 'airline' (3 values: 'Nordfly'" in task.description
    text, *_ = from_data(str(path), "sentiment", tmp_path / "x.yaml")
    assert "  # label: airline  " in text and "#   negativereason  " in text


def test_warns_of_a_text_that_tells_the_label(shared):
    from harness.check.report import examine

    path, family = shared / "cases/50-kaggle-airline/Tweets.csv", registry.family("sentiment")

    def codes(column):
        report, _ = examine(quick_task(family, str(path), {"text": column}), family)
        return {finding.code: finding.message for finding in report.findings}

    assert "filled exactly where the label is negative" in codes("negativereason")["text-tells-label"]
    assert "text-tells-label" not in codes("text") and "text-tells-label" not in codes("tweet_location")


def test_asks_about_several_binary_columns(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(TOXIC)
    for family in ("sentiment", "text-classification"):
        with pytest.raises(BenchError, match=r"6 columns may be the label: toxic, severe_toxic, .* --column label=toxic$"):
            quick_task(registry.family(family), str(path))
        task = quick_task(registry.family(family), str(path), {"label": "insult"})
        assert dict(task.columns) == {"text": "comment_text", "label": "insult"}
        assert "could also be" not in task.description
    text, where, todo = from_data(str(path), None, tmp_path / "x.yaml")
    assert "label: toxic" in text and "# label: identity_hate" in text and "6 columns may be the label" in todo
    where.write_text(text)
    assert load_task(where).columns["label"] == "toxic"


@pytest.mark.parametrize(
    ("written", "columns"),
    [
        (["label=Score", "text=Summary"], {"text": "Summary", "label": "Score"}),
        (["text=Summary+Text"], {"text": ["Summary", "Text"], "label": "Score"}),
        (["text=8", "id=Id", "group=ProductId"], {"text": "Summary", "label": "Score", "id": "Id", "group": "ProductId"}),
        (["label=HelpfulnessNumerator"], {"text": "Text", "label": "HelpfulnessNumerator"}),
    ],
)
def test_chosen_columns(tmp_path, written, columns):
    path = tmp_path / "x.csv"
    path.write_text(FOODS)
    task = quick_task(registry.family("sentiment"), str(path), read_columns(written))
    assert dict(task.columns) == columns
    assert validate(task).startswith("rows: train")
    text, *_ = from_data(str(path), None, tmp_path / "x.yaml", read_columns(written))
    for ours, theirs in columns.items():
        assert f"  {ours}: {theirs if isinstance(theirs, str) else '[' + ', '.join(theirs) + ']'}  " in text


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"label": "Scores"}, "unknown column 'Scores'; did you mean 'Score'"),
        ({"text": "Text+Scores"}, "unknown column 'Scores'"),
        ({"label": "10"}, "unknown column '10'"),
        ({"lable": "Score"}, "unknown column of family sentiment 'lable'; did you mean 'label'"),
    ],
)
def test_wrong_choices(tmp_path, written, words):
    (tmp_path / "x.csv").write_text(FOODS)
    with pytest.raises(BenchError, match=words):
        quick_task(registry.family("sentiment"), str(tmp_path / "x.csv"), written)


@pytest.mark.parametrize("written", [["label"], ["=x"], ["label="], ["label=a", "label=b"]])
def test_invalid_column_options(written):
    with pytest.raises(BenchError, match="--column "):
        read_columns(written)


UNREADABLE = table(["when", "amount", "ref"], lambda n: [f"2024-01-{n % 28 + 1:02d}", n * 1.5, f"R{n}x"])


def test_lists_columns_if_nothing_fits(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(UNREADABLE)
    with pytest.raises(BenchError) as caught:
        quick_task(registry.family("sentiment"), str(path))
    message = str(caught.value)
    assert "no column looks like the text (the text that judges) or the label (its polarity)" in message
    assert "when (dates such as '2024-01-01'), amount (numbers such as '0.0'), ref (ids such as 'R0x')" in message
    assert "--column text=NAME --column label=NAME" in message and "header" not in message and "\n" not in message
    for family in (None, "ner", "qa", "translation", "sentiment"):
        text, where, todo = from_data(str(path), family, tmp_path / "made.yaml")
        where.write_text(text)
        task = load_task(where)
        assert task.family == (family or task.family) and set(task.columns) == set(registry.family(task.family).columns)
        assert "COLUMN" in task.columns.values() and "fill in COLUMN there" in todo
        assert "dates such as '2024-01-01'" in text


SENTENCES = [("Anna Berg sleeps .", "B-PER I-PER O O"), ("He likes Bonn .", "O O B-LOC O"), ("Rain .", "O O")] * 5


def tokens(header, make, apart=None):
    rows = []
    for number, (words, tags) in enumerate(SENTENCES):
        rows += [make(number, place, word, tag) for place, (word, tag) in enumerate(zip(words.split(), tags.split(), strict=True))]
        rows += [apart] if apart is not None else []
    return table(header, lambda n: rows[n], rows=range(len(rows)))


TOKENS = {
    "Kaggle": tokens(["Sentence #", "Word", "POS", "Tag"], lambda n, place, word, tag: ["" if place else f"Sentence: {n + 1}", word, "NN", tag]),
    "numbers": tokens(["sentence_id", "words", "labels"], lambda n, place, word, tag: [n, word, tag]),
    "empty rows": tokens(["word", "tag"], lambda n, place, word, tag: [word, tag], apart=["", ""]),
    "blank lines": tokens(["token", "label"], lambda n, place, word, tag: [word, tag], apart=[]),
    "an index": tokens(["", "sentence_idx", "word", "tag"], lambda n, place, word, tag: [place, n, word, tag]),
}  # fmt: skip


@pytest.mark.parametrize("layout", TOKENS)
def test_joins_rows_of_one_token(layout, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(TOKENS[layout])
    task = quick_task(registry.family("ner"), str(path))
    assert task.source.format == "tokens"
    rows = task.source.read()["all"]
    assert [(" ".join(row["words"]), " ".join(row["tags"])) for row in rows] == SENTENCES
    assert "15 sentences, put together from a word a row" in validate(task)
    written, where, todo = from_data(str(path), None, tmp_path / "made.yaml")
    where.write_text(written)
    task = load_task(where)
    assert task.family == "ner" and task.source.read()["all"] == rows and not todo


def test_rejects_tokens_without_sentences(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(tokens(["nr", "word", "tag"], lambda n, place, word, tag: [n, word, tag]))
    with pytest.raises(BenchError, match=r"x.csv:2: every row holds one word, and nothing says where a sentence ends.*--column sentence=NAME"):
        quick_task(registry.family("ner"), str(path))
    task = quick_task(registry.family("ner"), str(path), {"sentence": "nr"})
    assert len(task.source.read()["all"]) == 15 and task.source.options["sentence"] == "nr"
    path.write_text("word,tag\nAnna,B-PER\n,O\nsleeps,\n")
    with pytest.raises(BenchError, match="nothing says where a sentence ends"):
        quick_task(registry.family("ner"), str(path))
    path.write_text("word,tag\nAnna,B-PER\n,O\n,\nsleeps,\n" + "a,O\n" * 30)
    with pytest.raises(BenchError, match=r"x.csv:5: the word 'sleeps' has no tag"):
        quick_task(registry.family("ner"), str(path))
    path.write_text("word,tag\nAnna,B-PER\n,O\n,\nsleeps,O\n")
    assert "1 rows with a tag but no word, left out" in _notes(quick_task(registry.family("ner"), str(path)))


def _notes(task):
    from harness.check.reading import reader_notes

    report = {}
    task.source.read(report)
    return "; ".join(reader_notes(report.values()))


def test_sentences_end_with_the_file(tmp_path):
    """Though the numbers begin anew in each."""
    for name in ("part-1.csv", "part-2.csv"):
        (tmp_path / name).write_text("sentence_id,word,tag\n0,Anna,B-PER\n0,sleeps,O\n")
    task = quick_task(registry.family("ner"), f"{tmp_path}/part-*.csv")
    assert [row["words"] for row in task.source.read()["all"]] == [["Anna", "sleeps"]] * 2


def test_warns_of_rows_of_one_word(tmp_path):
    """Where a task file says that they are sentences."""
    from harness.check.report import examine

    (tmp_path / "x.csv").write_text(TOKENS["numbers"])
    (tmp_path / "x.yaml").write_text(
        "family: ner\ndata: {format: csv, files: x.csv}\ncolumns: {words: words, tags: labels}\noptions: {scheme: iob2}\n"
    )
    task = load_task(tmp_path / "x.yaml")
    report, _ = examine(task, registry.family("ner"))
    assert any(finding.code == "one-word-rows" for finding in report.findings)


def test_sentences_with_printed_lists_of_tags(tmp_path):
    rows = [[f"Sentence: {n}", words, str(["NN"] * len(words.split())), str(tags.split())] for n, (words, tags) in enumerate(SENTENCES)]
    path = tmp_path / "ner.csv"
    path.write_text(table(["Sentence #", "Sentence", "POS", "Tag"], lambda n: rows[n], rows=range(len(rows))))
    task = quick_task(registry.family("ner"), str(path))
    assert dict(task.columns) == {"words": "Sentence", "tags": "Tag"}
    assert validate(task) == "rows: train 9, validation 3, test 3; 5 labels: O, B-LOC, I-LOC, B-PER, I-PER; 15 printed lists or objects, read as such"


def test_wnut(tmp_path):
    """Tabs, a blank line with a tab in it, and types with a hyphen."""
    text = "@paulwalk\tO\nIt\tO\n's\tO\nEmpire\tB-location\nState\tI-location\n\t\nESB\tB-creative-work\n?\tO\n\n" * 9
    for name in ("wnut17train.conll", "emerging.dev.txt", "wnut.tsv"):
        (tmp_path / name).write_text(text)
        task = quick_task(registry.family("ner"), str(tmp_path / name))
        assert task.source.format == "conll" and len(task.source.read()["all"]) == 18
        (best, *_) = guess(str(tmp_path / name), list(registry.families().values()), "x")
        assert best.task.family == "ner"


CONTEXT = "The cat {} sat on the mat, and the dog watched it."
SQUADS = {
    "Kaggle": table(["context", "question", "id", "answer_start", "text"], lambda n: [CONTEXT.format(n), "Who?", f"q{n}", 4, "cat"]),
    "an index": table(
        ["", "title", "context", "question", "answer_start", "answer"], lambda n: [n, f"t{n % 2}", CONTEXT.format(n), "Who?", 4, "cat"]
    ),
    "printed": table(
        ["id", "title", "context", "question", "answers"],
        lambda n: [f"q{n}", "t", CONTEXT.format(n), "Who?", "{'text': array(['cat'], dtype=object), 'answer_start': array([4], dtype=int32)}"],
    ),
    "other names": table(["Question", "Passage", "Answer"], lambda n: ["Who?", CONTEXT.format(n), "cat"]),
}  # fmt: skip


@pytest.mark.parametrize("layout", SQUADS)
def test_flat_squad(layout, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(SQUADS[layout])
    task = quick_task(registry.family("qa"), str(path))
    rows = task.source.read()["all"]
    assert len(rows) == 40 and all(row["answers"] == {"text": ["cat"], "answer_start": [4]} for row in rows)
    (best, *_) = guess(str(path), list(registry.families().values()), "x")
    assert best.task.family == "qa"


def test_chosen_column_of_answers(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(table(["question", "context", "gold", "from"], lambda n: ["Who?", CONTEXT.format(n), "cat", 4]))
    with pytest.raises(BenchError, match=r"looks like the answers .* --column answers=NAME"):
        quick_task(registry.family("qa"), str(path))
    task = quick_task(registry.family("qa"), str(path), {"answers": "gold", "start": "from"})
    assert task.source.options["start"] == "from"
    assert task.source.read()["all"][0]["answers"] == {"text": ["cat"], "answer_start": [4]}


def test_columns_can_be_chosen_for_tables_only(tmp_path):
    for code in ("en", "de"):
        (tmp_path / f"a.{code}").write_text("x\n" * 9)
    with pytest.raises(BenchError, match="--column is for tables"):
        quick_task(registry.family("translation"), f"{tmp_path}/a.en+{tmp_path}/a.de", {"source": "de"})
    (tmp_path / "x.jsonl").write_text(lines(lambda n: {"translation": {"xx": f"a {n}", "yy": f"b {n}"}}))
    task = quick_task(registry.family("translation"), str(tmp_path / "x.jsonl"), {"source": "translation.xx", "target": "translation.yy"})
    assert dict(task.columns) == {"source": "translation.xx", "target": "translation.yy"} and validate(task)


def test_reads_bytes_as_text(tmp_path):
    """Parquet of programs that do not note that their bytes are UTF-8."""
    import pyarrow
    from pyarrow import parquet

    words = pyarrow.table({"sentence_id": [n // 3 for n in range(60)], "word": [b"Ann", "Zoë".encode(), b"."] * 20, "tag": [b"B-PER", b"I-PER", b"O"] * 20})  # fmt: skip
    parquet.write_table(words, tmp_path / "ner.parquet")
    task = quick_task(registry.family("ner"), str(tmp_path / "ner.parquet"))
    assert task.source.format == "tokens"
    assert validate(task).startswith("rows: train 12, validation 4, test 4; 3 labels: O, B-PER, I-PER; 120 values of bytes, read as UTF-8; 20 sentences, put together from a word a row")  # fmt: skip
    pairs = {"question": [b"q"] * 20, "context": [f"é cat {n} NOTHING CANNOTANSWER".encode() for n in range(20)], "answer": [b"cat", b"CANNOTANSWER"] * 10}  # fmt: skip
    parquet.write_table(pyarrow.table(pairs), tmp_path / "qa.parquet")
    task = quick_task(registry.family("qa"), str(tmp_path / "qa.parquet"))
    assert task.source.options["no_answer"] == "CANNOTANSWER"
    assert "10 questions without answer" in validate(task)


def test_finds_fields_of_printed_objects(tmp_path):
    rows = [str({"en": f"the house {n}", "de": f"das Haus {n}"}) for n in range(20)]
    (tmp_path / "x.csv").write_text("translation\n" + "".join(f'"{row}"\n' for row in rows))
    task = quick_task(registry.family("translation"), str(tmp_path / "x.csv"))
    assert dict(task.columns) == {"source": "translation.en", "target": "translation.de"}
    assert validate(task) == "rows: train 12, validation 4, test 4; 40 printed lists or objects, read as such"
