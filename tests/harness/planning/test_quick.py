"""Tasks from data files alone, and their descriptions."""

import json
import zipfile

import pytest

from harness import registry
from harness.check.report import validate
from harness.errors import BenchError
from harness.planning.quick import quick_task


def quick(reference):
    family, _, path = reference.partition(":")
    return quick_task(registry.family(family), path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


REVIEWS = [{"Review": f"text {number}", "stars": number % 2} for number in range(12)]
CSV = "Review,stars\n" + "".join(f"{row['Review']},{row['stars']}\n" for row in REVIEWS)
LINES = "".join(json.dumps(row) + "\n" for row in REVIEWS)
TAKEN = "text from 'Review', label from 'stars'"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", CSV, "csv: x.csv"),
        ("x.csv", CSV.replace(",", ";"), "csv: x.csv"),
        ("x.tsv", CSV.replace(",", "\t"), "tsv: x.tsv"),
        ("x.jsonl", LINES, "jsonl: x.jsonl"),
        ("x.json", LINES, "jsonl: x.json"),
        ("x.json", json.dumps(REVIEWS), "json: x.json"),
        ("x.json", json.dumps({"data": REVIEWS}, indent=1), "json: x.json"),
    ],
)
def test_tables(folder, name, content, said):
    (folder / name).write_text(content)
    task = quick(f"sentiment:{name}")
    assert task.name == "x" and task.description == f"{said}; {TAKEN}; split 60/20/20"
    assert validate(task).startswith("rows: train 8, validation 2, test 2; 2 labels: 0, 1")


def test_labels_at_the_start_of_lines(folder):
    (folder / "x.label").write_text("DESC:manner How ?\nNUM:date When ?\n" * 10)
    assert "2 labels: DESC, NUM" in validate(quick("text-classification:x.label"))
    (folder / "x.txt").write_text("".join(f"{word} is no label\n" for word in "ABCDEFGHIJKLMNOP"))
    with pytest.raises(BenchError, match=r"lines that begin with their label. The first one would be 'A'"):
        quick("sentiment:x.txt")


def test_folders_patterns_and_archives(folder):
    (folder / "data").mkdir()
    with zipfile.ZipFile("packed.zip", "w") as archive:
        for name in ("train-1.csv", "train-2.csv", "dev.csv"):
            (folder / "data" / name).write_text(CSV)
            archive.writestr(f"data/{name}", CSV)
        (folder / "data/readme.txt").write_text("none")
    how = "; train, validation by names, test cut from train"
    for reference, name in (("./data/", "data"), ("data/*.csv", "data"), ("packed.zip", "packed")):
        task = quick(f"sentiment:{reference}")
        assert task.name == name and task.description.endswith(f"{TAKEN}{how}")
        assert validate(task).startswith("rows: train 20, validation 12, test 4")  # each row is there twice
    assert quick("sentiment:packed.zip!data/dev.csv").name == "dev"


PAIR = "Hello.\tHallo.\tme\n"


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("x.tsv", PAIR * 5, "pairs"),
        ("x.txt", PAIR * 5, "pairs"),
        ("x.tsv", "en\tde\n" + "Hello.\tHallo.\n" * 5, "tsv"),
        ("x.jsonl", '{"translation": {"en": "a", "de": "b"}}\n' * 5, "jsonl"),
    ],
)
def test_translation_by_columns(folder, name, content, format):
    (folder / name).write_text(content)
    task = quick(f"translation:{name}")
    assert task.source.format == format
    known = {} if format == "pairs" else {"source_language": "en", "target_language": "de"}
    assert task.options == known
    if format != "pairs":
        validate(task)


def test_translation_memories_and_parallel_files(folder):
    unit = '<tu><tuv xml:lang="en-GB"><seg>a</seg></tuv><tuv xml:lang="de"><seg>b</seg></tuv></tu>'
    (folder / "x.tmx").write_text(f'<tmx><header srclang="en"/><body>{unit * 5}</body></tmx>')
    (folder / "m").mkdir()
    for name in ("train.de", "train.en", "val.de", "val.en", "test_2016.en", "test_2016.de", "train.fr"):
        (folder / "m" / name).write_text(f"{name}\n" * 5)
    languages = {"source_language": "en", "target_language": "de"}
    task = quick("translation:x.tmx")
    assert task.options == languages and task.source.options == {"source": "en", "target": "de"}
    task = quick("translation:m")
    assert task.options == languages and task.columns == {"source": "en", "target": "de"}
    assert list(task.source.files) == ["train", "validation", "test"]
    assert all(set(files) == {"de", "en"} for files in task.source.files.values())
    assert task.source.read()["train"][0] == {"en": "train.en", "de": "train.de"}
    task = quick("translation:m/train.de+train.fr")
    assert task.options == {"source_language": "de", "target_language": "fr"}
    assert task.name == "m" and task.source.read()["all"][0] == {"de": "train.de", "fr": "train.fr"}
    with pytest.raises(BenchError, match=r"m/train.it: no such file"):
        quick("translation:m/train.en+train.it")


QA = {"question": "Who?", "context": "The cat sat. 貓"}


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ({"answers": {"text": ["cat"], "answer_start": [4]}}, {"answers": "answers"}),
        ({"answer": "cat", "answer_start": 4}, {"text": "answer", "start": "answer_start"}),
        ({"answers": "cat", "start": 4, "end": 7}, {"text": "answers", "start": "start", "end": "end"}),
        (
            {"human_ans_spans": "cat", "human_ans_indices": "(4, 7)"},
            {"text": "human_ans_spans", "span": "human_ans_indices"},
        ),
    ],
)
def test_flat_question_answering(folder, row, options):
    rows = [{**QA, "context": f"{QA['context']} {number}", **row} for number in range(10)]
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = quick("qa:x.jsonl")
    assert task.source.format == "spans"
    assert task.source.options == {"table": "jsonl", "question": "question", "context": "context", **options}
    assert validate(task) == "rows: train 6, validation 2, test 2"


def test_finds_the_word_for_no_answer_and_ids(folder):
    def write(ids):
        rows = [
            {
                "id": one,
                **QA,
                "context": f"The cat {number}. CANNOTANSWER",
                "answer": "cat" if number % 2 else "CANNOTANSWER",
            }
            for number, one in enumerate(ids)
        ]
        (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return quick("qa:x.jsonl").source.options

    options = write(range(10))
    assert options["no_answer"] == "CANNOTANSWER" and options["id"] == "id"
    assert "5 questions without answer" in validate(quick("qa:x.jsonl"))
    assert "id" not in write([1] * 10)  # that of something else


def test_chinese_is_scored_by_character(folder):
    row = {"question": "誰？", "context": "貓坐著。", "answer": "貓"}
    (folder / "x.jsonl").write_text(
        "".join(json.dumps({**row, "context": row["context"] * n}) + "\n" for n in range(1, 9))
    )
    assert quick("qa:x.jsonl").options == {"unit": "character"}


def test_tsv_without_header_is_conll_for_ner(folder):
    (folder / "x.tsv").write_text("Anna\tB-PER\nsleeps\tO\n\n" * 5)
    assert quick("ner:x.tsv").source.format == "conll"
    (folder / "y.tsv").write_text("tokens\ttags\n" + "Anna sleeps\tB-PER O\n" * 5)
    assert quick("ner:y.tsv").source.format == "tsv"


def test_tells_squad_from_a_list_in_data(folder):
    qas = [{"id": "q", "question": "Who?", "answers": [{"text": "cat", "answer_start": 4}]}]
    (folder / "x.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": "The cat.", "qas": qas}]}]}))
    assert quick("qa:x.json").source.format == "squad"


@pytest.mark.parametrize(
    ("reference", "name", "rows", "words"),
    [
        ("sentiment:waimai_zh/waimai_10k.csv", "waimai_10k", "train 7,193, validation 2,397, test 2,397", "text from 'review'"),
        ("sentiment:sst2/train.tsv", "sst2", "train 6,000, validation 2,000, test 2,000", "text from 'sentence'"),
        ("text-classification:ag_news_csv", "ag_news_csv", "train 4,560, validation 1,520, test 1,520", "text from '1' and '2', label from '0', header False"),
        ("ner:wikigold/wikigold.conll.txt", "wikigold.conll", "train 1,017, validation 339, test 340", "tags in scheme io"),
        ("ner:resume_ner_zh/", "resume_ner_zh", "train 3,821, validation 463, test 477", "tags in scheme bmes"),
        ("qa:xquad_en/xquad.en.json", "xquad.en", "train 706, validation 238, test 246", "squad"),
        ("qa:drcd_zh_hant/", "drcd_zh_hant", "train 1,086, validation 272, test 609", "unit: character"),
        ("qa:subjqa_grocery/", "subjqa_grocery", "train 776, validation 218, test 250", "no_answer 'ANSWERNOTFOUND'"),
        ("translation:multi30k_en_de", "multi30k_en_de", "train 10,000, validation 1,014, test 1,000", "source_language: en"),
        ("translation:multi30k_en_de/val.de+val.en", "multi30k_en_de", "train 608, validation 203, test 203", "source from 'de'"),
    ],
)  # fmt: skip
def test_published_data_sets(shared, reference, name, rows, words):
    family, _, path = reference.partition(":")
    task = quick(f"{family}:{shared}/data/{path}")
    said = f"{task.description}; {validate(task)}"
    assert task.name == name and f"rows: {rows}" in said and words in said


def test_asks_about_a_published_data_set(shared):
    with pytest.raises(
        BenchError, match=r"2 files for test .*files: {train: train.tsv, validation: dev.tsv, test: test-"
    ):
        quick(f"sentiment:{shared}/data/sst2")


@pytest.mark.parametrize(("path", "name"), [(".films.csv", "films"), (".films/train.csv", "films"), ("...csv", "data")])
def test_name_of_a_task_of_hidden_files(path, name, tmp_path):
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(
        "text,label\n" + "".join(f"film {number},{'ab'[number % 2]}\n" for number in range(20))
    )
    assert quick_task(registry.family("sentiment"), str(tmp_path / path)).name == name
