"""Columns with names that look the same, and splits with other column names."""

import json

import pytest

from harness import registry
from harness.check.report import validate
from harness.errors import BenchError
from harness.guess.chosen_columns import read_columns
from harness.planning.quick import quick_task
from harness.planning.taskfile import load_task
from harness.proposal import find_columns, similar_columns
from harness.scaffold.new import from_data
from harness.task_data import load_data


@pytest.mark.parametrize("other", ["Text", "TEXT", "ｔｅｘｔ", "text\u200b", "te\u00adxt"])
def test_names_that_look_the_same(other):
    assert similar_columns(["text", other, "label"], "text") == [other] and similar_columns(["text", other, "label"], other) == ["text"]


def test_names_that_do_not_look_the_same(tmp_path):
    assert similar_columns(["text", "text2", "texts", "my text", "★"], "text") == [] and similar_columns(["★", "☆"], "★") == []


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


CASES = {
    "sentiment": ("text", [{"text": f"the text with number {n}", "Text": f"another with number {n}", "label": "ab"[n % 2]} for n in range(20)]),
    "ner": ("tags", [{"words": ["Ann", f"ran{n}"], "tags": ["B-PER", "O"], "Tags": ["O", "B-X"]} for n in range(20)]),
    "translation": ("target", [{"source": f"house {n}", "target": f"Haus {n}", "Target": f"maison {n}"} for n in range(20)]),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("family", CASES)
def test_uses_the_exact_name_and_shows_the_other_column(tmp_path, family, order):
    ours, rows = CASES[family]
    path = jsonl(tmp_path / "a.jsonl", [dict(list(row.items())[::order]) for row in rows])
    task = quick_task(registry.family(family), path)
    assert f"{ours} could also be {ours.title()!r}" in task.description and f"--column {ours}={ours.title()}" in task.description
    assert load_data(task, registry.family(family)).splits["train"][0][ours] in ([row[ours] for row in rows] + [[row[ours]] for row in rows])
    other = quick_task(registry.family(family), path, {ours: ours.title()})
    assert other.columns[ours] == ours.title() and "could also" not in other.description
    assert f"# {ours}: {ours.title()}" in from_data(path, family, tmp_path / "a.yaml").text


def test_asks_about_same_names_in_a_table_of_tokens(tmp_path):
    lines = [f"{n // 4},w{n},{'B-PER' if n % 4 == 0 else 'O'},X{n}" for n in range(80)]
    (tmp_path / "a.csv").write_text("sentence_id,word,tag,Word\n" + "\n".join(lines) + "\n")
    with pytest.raises(BenchError, match=r"2 columns may be the words, by names that look the same: 'word' .*'Word'.*--column words=word"):
        quick_task(registry.family("ner"), str(tmp_path / "a.csv"))
    task = quick_task(registry.family("ner"), str(tmp_path / "a.csv"), read_columns(["words=Word"]))
    assert load_data(task, registry.family("ner")).splits["train"][0]["words"][0].startswith("X")


def test_suggests_the_index_of_a_name_that_cannot_be_typed(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{"text": f"a text number {n}", "text\u200b": f"more, {n}", "label": "ab"[n % 2]} for n in range(20)])
    task = quick_task(registry.family("sentiment"), path)
    assert "--column text=1" in task.description
    assert quick_task(registry.family("sentiment"), path, {"text": "1"}).columns["text"] == "text\u200b"


def test_exact_name_precedes_another_case():
    for row in ({"text": 1, "Text": 2}, {"Text": 2, "text": 1}):
        assert find_columns(row, {}, ["text"]) == {"text": "text"}


ROWS = "".join(f"the text with the number {n},{'ab'[n % 2]}\n" for n in range(20))
MORE = ROWS.replace("number", "figure")


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (f"Text,Label\n{MORE}", "calls its column 'Label' where train has 'label'; write the names alike"),
        (MORE, r"none of its columns \(the text with the figure 0, a\) is one of train's \(text, label\); if its first line is a row"),
        ("text,label\n", "split test has no rows"),
        (f"text,label\n{MORE}".replace("text with", "text with é").encode("cp1252"), "test.csv:2: not utf-8"),
    ],
)
def test_test_with_unreadable_labels_is_kept(tmp_path, test, words):
    (tmp_path / "train.csv").write_text(f"text,label\n{ROWS}")
    (tmp_path / "test.csv").write_bytes(test if isinstance(test, bytes) else test.encode())
    with pytest.raises(BenchError, match=words):
        validate(quick_task(registry.family("sentiment"), str(tmp_path)))
    text, path, todo = from_data(str(tmp_path), "sentiment", tmp_path / "a.yaml")
    path.write_text(text)
    assert "test: test.csv" in text and todo.startswith("mend what is wrong with the data: ")
    with pytest.raises(BenchError, match=words):
        validate(load_task(path))


def test_task_new_keeps_a_split_with_one_more_column(tmp_path):
    (tmp_path / "train.csv").write_text(f"text,label\n{ROWS}")
    (tmp_path / "test.csv").write_text("text,label,note\n" + MORE.replace("\n", ",x\n"))
    text, path, _ = from_data(str(tmp_path), "sentiment", tmp_path / "a.yaml")
    path.write_text(text)
    assert validate(load_task(path)) == validate(quick_task(registry.family("sentiment"), str(tmp_path)))


def test_task_new_uses_the_format_of_train(tmp_path):
    (tmp_path / "test.csv").write_text(f"text,label\n{MORE}")
    jsonl(tmp_path / "train.jsonl", [{"text": f"text number {n}", "label": "ab"[n % 2]} for n in range(20)])
    text = from_data(str(tmp_path), "sentiment", tmp_path / "a.yaml").text
    assert "train.jsonl" in text and "# not used: test.csv: of another format" in text


def test_error_names_a_first_row_without_a_column(tmp_path):
    rows = [{"text": f"a text number {n}", **({"label": "ab"[n % 2]} if n else {})} for n in range(20)]
    with pytest.raises(BenchError, match=r"a\.jsonl:1.*'label'"):
        validate(quick_task(registry.family("sentiment"), jsonl(tmp_path / "a.jsonl", rows)))
    rows = [{"text": f"a text number {n}", "label": "ab"[n % 2], **({"note": "x"} if n % 2 else {})} for n in range(20)]
    assert "rows: train 12" in validate(quick_task(registry.family("sentiment"), jsonl(tmp_path / "b.jsonl", rows)))


def test_shows_a_third_language(tmp_path):
    (tmp_path / "a.csv").write_text("en,de,fr\n" + "".join(f"house {n},Haus {n},maison {n}\n" for n in range(20)))
    task = quick_task(registry.family("translation"), str(tmp_path / "a.csv"))
    assert "target could also be 'fr'" in task.description and "--column target=fr" in task.description


def test_rejects_tar_archives(tmp_path):
    for name in ("a.tar.gz", "a.tgz"):
        (tmp_path / name).write_bytes(b"\x1f\x8b")
        with pytest.raises(BenchError, match="a tar archive, which is not read; unpack it"):
            quick_task(registry.family("sentiment"), str(tmp_path / name))
