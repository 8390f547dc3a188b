"""Files that are not read, and information that would be lost: exports of annotation tools, labels and columns in folder names."""

import json
import shlex
import subprocess
import sys
import zipfile

import pytest

from harness import registry
from harness.check.report import validate
from harness.data import folder as folders
from harness.data.folder import files_in, matching, unused
from harness.data.source import FileSource
from harness.errors import BenchError
from harness.guess.guess import guess
from harness.planning.quick import quick_task
from harness.scaffold.new import from_data
from harness.task import Task

SPAN = {"start": 0, "end": 3, "label": "PER"}
EXPORTS = {
    "doccano": ({"text": "Ann ran", "label": [[0, 3, "PER"]]}, "'label' holds character spans .* as doccano exports"),
    "doccano's entities": (
        {"text": "Ann ran", "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3}]},
        "doccano",
    ),
    "Prodigy": (
        {"text": "Ann ran", "tokens": [{"text": "Ann"}], "spans": [SPAN], "answer": "accept"},
        "as Prodigy exports",
    ),
    "GLiNER": ({"tokenized_text": ["Ann", "ran"], "ner": [[0, 0, "person"]]}, "GLiNER's training data"),
    "Label Studio": ({"data": {"text": "Ann"}, "annotations": [{"result": []}]}, "a Label Studio export"),
    "JSON-MIN": (
        {"text": "Ann", "label": [{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}]},
        "as Label Studio exports",
    ),
    "spaCy": ({"id": 0, "paragraphs": [{"raw": "Ann", "sentences": [{"tokens": []}]}]}, "spaCy's JSON"),
}


@pytest.mark.parametrize("tool", EXPORTS)
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_names_the_tool_of_an_export(tmp_path, tool, ending):
    row, words = EXPORTS[tool]
    text = json.dumps([row] * 20) if ending == "json" else "".join(json.dumps(row) + "\n" for _ in range(20))
    (tmp_path / f"a.{ending}").write_text(text)
    with pytest.raises(BenchError, match=words):
        quick_task(registry.family("ner"), str(tmp_path / f"a.{ending}"))
    with pytest.raises(BenchError, match=words):
        from_data(str(tmp_path / f"a.{ending}"), None, None)


def test_label_studio_csv(tmp_path):
    cell = json.dumps([{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}]).replace('"', '""')
    (tmp_path / "a.csv").write_text("text,label\n" + f'Ann ran,"{cell}"\n' * 20)
    with pytest.raises(BenchError, match="'label' holds character spans with labels, as Label Studio exports them"):
        quick_task(registry.family("ner"), str(tmp_path / "a.csv"))


def test_rejects_rejected_rows_of_prodigy(tmp_path):
    rows = [
        {"text": f"text {n}", "label": "a", "answer": ("accept", "reject")[n % 2], "_input_hash": n} for n in range(20)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BenchError, match="rows whose answer is reject"):
        quick_task(registry.family("sentiment"), str(tmp_path / "a.jsonl"))


def test_webanno_brat_and_conllu(tmp_path):
    (tmp_path / "a.tsv").write_text("#FORMAT=WebAnno TSV 3.3\n\n\n#Text=Ann ran\n1-1\t0-3\tAnn\tPER\t\n")
    with pytest.raises(BenchError, match=r"WebAnno .* TSV file"):
        quick_task(registry.family("ner"), str(tmp_path / "a.tsv"))
    (tmp_path / "brat").mkdir()
    (tmp_path / "brat" / "x.txt").write_text("Ann ran")
    (tmp_path / "brat" / "x.ann").write_text("T1\tPER 0 3\tAnn\n")
    with pytest.raises(BenchError, match=r"brat's files.*x.txt"):
        quick_task(registry.family("ner"), str(tmp_path / "brat"))
    line = "{n}\t{w}\t_\tX\t_\t_\t0\troot\t_\t{t}\n"
    tokens = line.format(n=1, w="Ann", t="B-PER") + line.format(n=2, w="ran", t="O") + "\n"
    (tmp_path / "a.conll").write_text(("# sent_id = 1\n# text = Ann ran\n" + tokens) * 20)
    with pytest.raises(BenchError, match=r"CoNLL-U file.*words: 1, tags: 9, comment") as error:
        quick_task(registry.family("ner"), str(tmp_path / "a.conll"))
    assert 'separator: "\\t"' in str(error.value)
    options = {"separator": "\t", "words": 1, "tags": 9, "comment": "#"}
    assert "40 lines of comments, left out" in validate(
        Task("t", "ner", FileSource("conll", {"all": tmp_path / "a.conll"}, options))
    )


def test_warns_of_comments_that_look_like_tokens(tmp_path):
    (tmp_path / "a.conll").write_text("#Ann B-PER\nran O\n\nBo B-PER\nran O\n\n" * 10)
    report: dict = {}
    FileSource("conll", {"all": tmp_path / "a.conll"}, {"comment": "#"}).read(report)
    assert report["all"]["comments"] == 10 and report["all"]["comments_like_tokens"] == 10


ROWS = "text,label\n" + "".join(f"text number {n},{'good' if n % 2 else 'bad'}\n" for n in range(20))


def tree(root, *names, text=ROWS):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return str(root)


@pytest.mark.parametrize("places", [("pos", "neg"), ("train/pos", "train/neg", "test/pos", "test/neg")])
def test_rejects_folders_named_by_classes(tmp_path, places):
    tree(tmp_path, *(f"{place}/{n}.txt" for place in places for n in range(3)), text="A fine film.\n")
    with pytest.raises(BenchError, match=r"the folders neg, pos look like classes, .*python -c"):
        quick_task(registry.family("sentiment"), str(tmp_path))


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (("pos", "neg"), "rows: train 12, validation 4, test 4"),
        (("train/pos", "train/neg", "test/pos", "test/neg"), "rows: train 16, validation 4, test 20"),
    ],
)
def test_suggested_command_for_class_folders_works(tmp_path, monkeypatch, places, words):
    for place in places:
        tree(tmp_path / "it's", *(f"{place}/{n}.txt" for n in range(10)), text=f"A film, and {place} is no word of it")
        for n in range(10):
            (tmp_path / "it's" / place / f"{n}.txt").write_text(f"A film of the year {n}, seen in {place}\n")
    with pytest.raises(BenchError) as error:
        quick_task(registry.family("sentiment"), str(tmp_path / "it's"))
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path / "made")
    command = shlex.split(str(error.value).split("a folder of its own: ")[1])
    subprocess.run([sys.executable, *command[1:]], check=True)
    assert words in validate(quick_task(registry.family("sentiment"), "."))


def test_rejects_columns_in_folder_names(tmp_path):
    where = tree(tmp_path, "label=pos/a.csv", "label=neg/a.csv")
    for path in (where, f"{where}/*/*.csv", f"{where}/**/*.csv"):
        with pytest.raises(BenchError, match="folders such as label=neg hold the column label in their names"):
            quick_task(registry.family("sentiment"), path)
        with pytest.raises(BenchError, match="hold the column label"):
            FileSource("csv", {"all": path}).read()
    assert FileSource("csv", {"all": f"{where}/label=pos/a.csv"}).read()


def test_names_unread_files_beside_the_data(tmp_path):
    where = tree(tmp_path, "train.csv", "test.csv", "sample_submission.csv", "old/a.csv", "README.md", "notes.docx")
    task = quick_task(registry.family("sentiment"), where)
    assert "not read: notes.docx, old/, sample_submission.csv" in task.description
    report: dict = {}
    FileSource("csv", {"all": where}).read(report)
    assert report["train"] == {"unused": 3, "unused_data": 1, "unused_data_at": ["old/"]}
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("train.csv", "test.csv", "sampleSubmission.csv", "README.md"):
            archive.writestr(f"d/{name}", ROWS)
    packed = quick_task(registry.family("sentiment"), str(tmp_path / "x.zip"))
    assert "not read: d/sampleSubmission.csv" in packed.description


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (
            "id,text\n1,a text\n2,another\n",
            r"test.csv: has no labels \(no column 'label'; it has: id, text\); leave it out",
        ),
        (
            "text,label\na text,\nanother,\n",
            r"test.csv: has no labels \(its column 'label' is empty in all 2 rows\); leave it out",
        ),
        ("text,label\na text,-1\nanother,-1\n", r"test has no labels \(-1 in all 2 rows\): leave it out"),
    ],
)
def test_task_new_leaves_out_a_test_without_labels(tmp_path, monkeypatch, test, words):
    where = tree(tmp_path / "d", "train.csv", "sample_submission.csv")
    (tmp_path / "d" / "test.csv").write_text(test)
    with pytest.raises(BenchError, match=words):
        validate(quick_task(registry.family("sentiment"), where))
    monkeypatch.chdir(tmp_path)
    made = from_data(where, "sentiment", None)
    assert not made.todo and "# not used: test.csv: " in made.text and "# not used: sample_submission.csv" in made.text
    from harness.planning.taskfile import load_task

    made.path.write_text(made.text)
    assert "rows: train 12, validation 4, test 4" in validate(load_task(made.path))


def test_rejects_a_column_of_splits(tmp_path):
    rows = "".join(f"text number {n},{'good' if n % 2 else 'bad'},{'train' if n % 4 else 'test'}\n" for n in range(40))
    where = tree(tmp_path, "a.csv", text="text,label,split\n" + rows)
    with pytest.raises(BenchError, match=r"the column 'split' says of which split a row is \(train 30, test 10\)"):
        quick_task(registry.family("sentiment"), f"{where}/a.csv")
    tree(tmp_path, "b.csv", text="text,label,set\n" + rows.replace("train", "blue").replace("test", "red"))
    assert quick_task(registry.family("sentiment"), f"{where}/b.csv")
    tree(tmp_path, "c.csv", text="text,label,is_test\n" + rows.replace("train", "False").replace("test", "True"))
    with pytest.raises(BenchError, match=r"the column 'is_test' says of which split a row is \(false 30, true 10\)"):
        quick_task(registry.family("sentiment"), f"{where}/c.csv")
    tree(tmp_path, "d.csv", text="text,label,is_long\n" + rows.replace("train", "0").replace("test", "1"))
    assert quick_task(registry.family("sentiment"), f"{where}/d.csv")


def test_reports_other_columns_of_tags(tmp_path):
    row = {"tokens": ["Ann", "ran"], "ner_tags": ["B-PER", "O"], "fine": ["B-woman", "O"], "other": ["x", "y"]}
    (tmp_path / "a.jsonl").write_text((json.dumps(row) + "\n") * 20)
    assert "tags could also be 'fine'" in quick_task(registry.family("ner"), str(tmp_path / "a.jsonl")).description


def test_rejects_files_of_two_encodings(tmp_path):
    (tmp_path / "train.csv").write_bytes(ROWS.replace("number", "numéro").encode("cp1252"))
    (tmp_path / "test.csv").write_text(ROWS.replace("number", "numéro"), encoding="utf-8")
    with pytest.raises(BenchError, match=r"test.csv: is UTF-8, but cp1252 is the encoding of train.csv"):
        quick_task(registry.family("sentiment"), str(tmp_path))


def test_guessed_encoding_is_reported_with_a_sample(tmp_path):
    (tmp_path / "a.csv").write_bytes(ROWS.replace("number", "numéro").encode("cp1252"))
    assert "encoding 'cp1252' (a guess, since it is not UTF-8; with it the file reads “text numéro" in (
        quick_task(registry.family("sentiment"), str(tmp_path / "a.csv")).description
    )
    assert "encoding: cp1252" in from_data(str(tmp_path / "a.csv"), None, None).text
    assert "# a guess" in from_data(str(tmp_path / "a.csv"), None, None).text


def test_search_for_files_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MOST", 40)
    where = tree(tmp_path, *(f"{n}.csv" for n in range(30)))
    assert len(files_in(tmp_path)) == len(matching(tmp_path / "*.csv")) == 30
    tree(tmp_path, *(f"x/{n}.csv" for n in range(30)))
    for path in (f"{where}/**/*.csv", f"{where}/**"):
        with pytest.raises(BenchError, match="more than 40 files and folders to look at"):
            FileSource("csv", {"all": path}).read()
    monkeypatch.setattr(folders, "MOST", 20)
    with pytest.raises(BenchError, match="more than 20 files and folders to look at"):
        guess(where, [registry.family("sentiment")], "x")


def test_cyclic_links_end(tmp_path):
    tree(tmp_path, "a/x.csv", "b/y.csv")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b" / "self").symlink_to(".")
    assert [path.name for path in matching(tmp_path / "**" / "*.csv")] == ["x.csv", "y.csv"]
    assert [path.name for path in matching(tmp_path / "?" / "*.csv")] == ["x.csv", "y.csv"]


def test_patterns(tmp_path, monkeypatch):
    tree(tmp_path, "a-1.csv", "a-2.csv", "b.csv", ".hidden.csv", "in/deep/c.csv", "[x].csv")
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    def names(pattern):
        return [str(path) for path in matching(Path(pattern))]

    assert names("a-*.csv") == ["a-1.csv", "a-2.csv"] and names("a-[2-9].csv") == ["a-2.csv"]
    assert names("**/*.csv") == ["[x].csv", "a-1.csv", "a-2.csv", "b.csv", "in/deep/c.csv"]
    assert names("in/*/c.csv") == ["in/deep/c.csv"] and f"../{tmp_path.name}/b.csv" in names("../*/b.csv")
    assert names("none*") == [] and names("b.csv") == ["b.csv"]
    assert unused(tmp_path, [tmp_path / "b.csv"]) == ["[x].csv", "a-1.csv", "a-2.csv", "in/"]


def test_object_called_data_is_not_label_studio(tmp_path):
    rows = [{"data": {"text": f"a text with number {n}"}, "annotations": {"label": "ab"[n % 2]}} for n in range(20)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BenchError, match=r"--column label=NAME \(inside of an object: data.text, annotations.label\)"):
        quick_task(registry.family("sentiment"), str(tmp_path / "a.jsonl"))
    chosen = {"text": "data.text", "label": "annotations.label"}
    assert validate(quick_task(registry.family("sentiment"), str(tmp_path / "a.jsonl"), chosen)).endswith("2 labels: a, b")
