"""YAML files of hostile or careless content: one line that says what is wrong, in bounded time and memory."""

import os
import resource
import string
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BenchError
from harness.planning.suite import load_suite
from harness.planning.taskfile import load_task

HEAD = "family: sentiment\ndata: {format: csv, files: x.csv}\n"
BOMB = "".join(
    f"b{level}: &b{level} [{', '.join([f'*b{level - 1}'] * 9)}]\n" if level else "b0: &b0 [a, a, a, a, a, a, a, a, a]\n"
    for level in range(9)
)
LONG = "x" * 30_000


def bomb(key):
    """The key whose value is repeated 9^9 times by aliases."""
    return HEAD + BOMB + f"{key}: *b8\n"


# name: (content, words of the message)
HOSTILE = {
    **{f"alias bomb in {key}": (bomb(key), "that aliases (*name) repeat") for key in ("name", "description", "options", "labels", "columns")},
    "alias bomb in files": (BOMB + "family: sentiment\ndata: {format: csv, files: *b8}\n", "that aliases (*name) repeat"),
    "alias bomb of mappings": (
        "a: &a {k: v}\n" + "".join(f"{new}: &{new} {{p: *{old}, q: *{old}, r: *{old}}}\n" for old, new in zip("abcdefghijklm", "bcdefghijklmn", strict=True)),
        "that aliases (*name) repeat",
    ),
    "aliases of a long text": (f"t: &t {'y' * 19_000}\nlabels: [{', '.join(['*t'] * 9_000)}]\n{HEAD}", "that aliases (*name) repeat"),
    "an anchor inside of itself": (HEAD + "options: &o {metric: *o}\n", "3: *o stands inside of what it repeats"),
    "a list inside of itself": (HEAD + "labels: &l [a, *l]\n", "3: *l stands inside of what it repeats"),
    "a merge of itself": (HEAD + "options: &o {<<: *o}\n", "3: *o stands inside"),
    "an alias without anchor": (HEAD + "name: *nothing\n", "3: *nothing has no anchor"),
    "deep lists": (HEAD + "labels: " + "[" * 50_000, "3: more than 30 lists"),
    "deep mappings": (HEAD + "columns: " + "{a: " * 20_000, "3: more than 30 lists"),
    "deep blocks": ("".join(" " * depth + "a:\n" for depth in range(500)), "31: more than 30 lists"),
    "a long name": (HEAD + f"name: {LONG}\n", "3: a value of 30,000 characters"),
    "a name of 200 characters": (HEAD + f"name: {'n' * 200}\n", "3: name: 200 characters are too many"),
    "a long key": (HEAD + f"? {LONG}\n: 1\n", "3: a value of 30,000 characters"),
    "a long description": (HEAD + f"description: {LONG}\n", "3: a value of 30,000 characters"),
    "a large file": (HEAD + "# comment\n" * 200_000, "larger than 1024 KiB"),
    "many keys": (HEAD + "labels:\n" + "".join(f"  k{number}: v\n" for number in range(60_000)), "more than 100,000 values"),
    "a date as a name": (HEAD + "name: 2024-05-01\n", '3: name: YAML reads 2024-05-01 as a date; write "2024-05-01" in quotes'),
    "a date that is none": (HEAD + "name: 2024-99-99\n", "3: name: YAML reads 2024-99-99 as a date"),
    "a time": (HEAD + "version: 2001-12-14t21:59:43.10-05:00\n", "3: version is the date"),
    "a date as a column": (HEAD + "columns: {text: 2024-05-01}\n", "3: columns.text: YAML reads 2024-05-01 as a date"),
    "infinity as a limit": (HEAD + "limit: .inf\n", "3: limit is .inf; it must be a whole number"),
    "infinity as a version": (HEAD + "version: -.inf\n", "3: version is -.inf"),
    "no number as a version": (HEAD + "version: .nan\n", "3: version is .nan"),
    "a number of 5,000 digits": (HEAD + f"limit: {'9' * 5000}\n", "3: a number of 5,000 digits"),
    "a version of 5,000 digits": (HEAD + f"version: {'7' * 5000}\n", "3: a number of 5,000 digits"),
    "a hexadecimal number of 5,000 digits": (HEAD + f"limit: 0x{'f' * 5000}\n", "3: a number of 5,002 digits"),
    "a number with an exponent": (HEAD + "limit: 1.0e+999\n", "3: limit is 1.0e+999"),
    "a limit of zero": (HEAD + "limit: 0\n", "3: limit is 0; it must be 1 or more"),
    "a limit below zero": (HEAD + "limit: -5\n", "3: limit is -5; it must be 1 or more"),
    "an octal version": (HEAD + "version: 010\n", "3: version is 010"),
    "sixty minutes": (HEAD + "version: 1:30\n", "3: version is 1:30"),
    "a version with a fraction": (HEAD + "version: 1.1\n", "3: version is 1.1; it must be a whole number"),
    "yes as a limit": (HEAD + "limit: yes\n", "3: limit: YAML reads yes as true"),
    "a home that nobody has": ("family: sentiment\ndata: {format: csv, files: ~nosuchuser/x.csv}\n", "2: data.files: ~nosuchuser/x.csv: there is no such user"),
    "a very long path": (f"family: sentiment\ndata: {{format: csv, files: {'d/' * 5000}x.csv}}\n", "2: data.files: 'd/d/"),
    "a very long file name": (f"family: sentiment\ndata: {{format: csv, files: {'d' * 300}.csv}}\n", "has 255 bytes at most"),
    "a NUL in a path": ('family: sentiment\ndata: {format: csv, files: "x\\0.csv"}\n', "2: data.files: 'x\\x00.csv' is no path"),
    "a number under hub": ("family: sentiment\ndata: {hub: 5}\n", "2: data: Hub data set '5': must be owner/name"),
    "a list under hub": ("family: sentiment\ndata: {hub: [a/b]}\n", "2: data.hub must be a text, not a list"),
    "nothing under hub": ("family: sentiment\ndata: {hub: }\n", "2: data.hub: YAML reads"),
    "a mapping under revision": ("family: sentiment\ndata: {hub: a/b, revision: {a: b}}\n", "2: data.revision must be a text"),
    "a revision that is a number": ("family: sentiment\ndata: {hub: a/b, revision: 7e12}\n", None),
    "a revision that YAML reads as a number": ("family: sentiment\ndata: {hub: a/b, revision: 1_0e+3}\n", None),
    "splits of a list": ("family: sentiment\ndata: {hub: a/b, splits: [test]}\n", "2: data.splits is a list; it must be a mapping"),
    "a split that is false": ("family: sentiment\ndata: {hub: a/b, splits: {test: off}}\n", '2: data.splits.test: YAML reads off as false; write "off"'),
    "data files of numbers": ("family: sentiment\ndata: {hub: a/b, data_files: {train: 1.5}}\n", "2: data.data_files.train: YAML reads 1.5"),
    "a set": (HEAD + "labels: !!set {a, b}\n", "3: the type tag:yaml.org,2002:set is not known"),
    "binary": (HEAD + "name: !!binary aGVsbG8=\n", "3: the type tag:yaml.org,2002:binary is not known"),
    "a Python object": (HEAD + "name: !!python/object/apply:os.system ['true']\n", "3: the type tag:yaml.org,2002:python/object/apply:os.system is"),
    "a type that is wrong": (HEAD + "limit: !!int abc\n", "3: the type tag:yaml.org,2002:int is not known, or not that of the value"),
    "two documents": (HEAD + "---\n" + HEAD, "3: a second document"),
    "a key twice": (HEAD + "labels: {a: b}\nname: n\nlabels: {c: d}\n", "5: the key labels stands here again, after line 3"),
    "a list as a key": (HEAD + "? [a, b]\n: c\n", "3: a list is the key of a value"),
    "a tab": (HEAD + "columns:\n\ttext: a\n", "4: not valid YAML"),
    "a control character": (HEAD + "name: a\x01b\n", "not valid YAML"),
    "an escape in a name": (HEAD + 'name: "a\\e[31mred"\n', "3: name: 'a\\x1b[31mred' cannot be a name"),
    "a line break in a name": (HEAD + 'name: "a\\nb"\n', "3: name: 'a\\nb' cannot be a name"),
    "a turned name": (HEAD + 'name: "a\\u202Eb"\n', "3: name: 'a\\u202eb' cannot be a name"),
    "Latin-1": (HEAD.encode() + b"name: caf\xe9\n", "3: not UTF-8 (byte 0xe9)"),
    "UTF-16": (HEAD.encode("utf-16"), "1: not UTF-8"),
    "nothing": ("", "must be a mapping of keys to values, not empty"),
    "a text": ("hello\n", "1: must be a mapping of keys to values, not 'hello'"),
    "zeros": ("\0" * 5000, "not valid YAML"),
    "options of dates": (HEAD + "options: {metric: 2024-01-01}\n", "3: options.metric: YAML reads 2024-01-01 as a date"),
    "options that are false": (HEAD + "options: {language: no}\n", '3: options.language: YAML reads no as false; write "no" in quotes'),
    "an option of another kind": (HEAD + "options: {language: {a: b}}\n", "3: options.language is {'a': 'b'}; it must be the code"),
    "a label that is empty": (HEAD + "labels: {a: ~}\n", '3: labels.a: YAML reads ~ as nothing; write "~" in quotes'),
    "labels that are equal": (HEAD + 'labels: {1: a, "1": b}\n', "3: the key 1 stands here again"),
    "a column index below zero": (HEAD + "columns: {text: -1}\n", "3: columns.text is -1; it must be 0 or more"),
    "columns of nothing": (HEAD + "columns: {text: []}\n", "3: columns.text is an empty list"),
    "an option of a reader that is false": (
        "family: text-classification\ndata: {format: labelled, files: x.txt, encoding: no}\n", '2: data.encoding: YAML reads no as false; write "no"',
    ),
    "files in lists in lists": ("family: sentiment\ndata: {format: csv, files: [[a.csv]]}\n", None),
}  # fmt: skip


@pytest.fixture
def bounded():
    """A third of the address space that a bomb would take, and a clock."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = 6 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    began = time.monotonic()
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.usefixtures("bounded")
def test_a_hostile_task_file_is_one_line_a_mistake(name, tmp_path, monkeypatch):
    content, words = HOSTILE[name]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "task.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        load_task(path.relative_to(tmp_path))
    except BenchError as error:
        lines = str(error).split("\n")
        assert all(line.startswith("task.yaml") and len(line) < 600 for line in lines), lines
        assert words is None or any(words in line for line in lines), lines
        assert all(letter.isprintable() for line in lines for letter in line)
    else:
        assert words is None


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 42


@pytest.mark.parametrize(
    "reference", ["nowhere.yaml", "folder.yaml", "pipe.yaml", "n" * 300 + ".yaml", "locked/x.yaml"]
)
def test_what_is_no_file_is_told(reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "locked").write_text("")
    os.mkfifo(tmp_path / "pipe.yaml")
    done = subprocess.run(
        [sys.executable, "-c", f"from harness.planning.taskfile import load_task; from pathlib import Path; load_task(Path({reference!r}))"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "BenchError" in done.stderr.splitlines()[-1] and "give the path of a YAML file" in done.stderr


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(
        "name: on\nfamily: sentiment\nversion: 1.9\nlimt: 5\ndata:\n  format: csv\n  files: x.csv\n  delimeter: ';'\n"
        "columns:\n  txt: a\n  label: no\noptions:\n  metric: f2\n  language: no\nlabels: [yes, no]\n"
    )
    with pytest.raises(BenchError) as error:
        load_task(path)
    lines = [line.removeprefix(f"{path}:") for line in str(error.value).split("\n")]
    assert [int(line.partition(":")[0]) for line in lines] == [1, 3, 4, 8, 10, 11, 13, 14, 15, 15]
    for part in (
        'name: YAML reads on as true; write "on" in quotes', "version is 1.9", "unknown key 'limt'; did you mean 'limit'",
        "did you mean 'delimiter'", "columns: unknown column of family sentiment 'txt'; did you mean 'text'",
        'columns.label: YAML reads no as false; write "no" in quotes', "options.metric: unknown value 'f2'",
        "options.language: YAML reads no as false", "labels 1: YAML reads yes as true", "labels 2: YAML reads no",
    ):  # fmt: skip
        assert any(part in line for line in lines), part


def test_at_most_ten_mistakes_are_told(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(HEAD + "".join(f"key{number}: 1\n" for number in range(50)))
    with pytest.raises(BenchError) as error:
        load_task(path)
    lines = str(error.value).split("\n")
    assert len(lines) == 11 and lines[-1] == f"{path}: and 40 more"


@pytest.mark.parametrize(
    "text", ['name: "on"', "name: 2024", 'labels: {"no": a, "yes": b}', "labels: {0: a, 1: b}", "labels: [1.0, 2.0]", "columns: {text: 0, label: 1}",
             "columns: {text: [a, 2]}", "description:", "limit:", 'version: "2"', "options: {language: zh-TW, metric: macro_f1}",
             "<<: {name: merged}", "columns: &c {text: a}\nlabels: *c"],
)  # fmt: skip
def test_what_is_right_is_taken(text, tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(HEAD + text + "\n")
    task = load_task(path)
    assert {"2024", "on", "merged", "task"} >= {task.name}
    assert task.description == "" and task.limit is None


SUITE_WRONG = {
    "seeds: yes": "mine.yaml:1: seeds: YAML reads yes as true",
    "seeds: 1.5": "mine.yaml:1: seeds: YAML reads 1.5 as a number",
    "seeds: [0, no]": "mine.yaml:1: seeds 2: YAML reads no as false",
    "methods: {a: b}": "mine.yaml:1: methods must be a text, not a mapping",
    "train_sizes: [on]": "mine.yaml:1: train_sizes: YAML reads on as true",
    "version: 1.9": "mine.yaml:1: version is 1.9; it must be a whole number",
    "name: off": 'mine.yaml:1: name: YAML reads off as false; write "off" in quotes',
    "models: [no]": "mine.yaml:1: models: YAML reads no as false",
    "models: 5": "mine.yaml:1: models is 5; it must be a mapping",
    "aliases: [a]": "mine.yaml:1: aliases is a list; it must be a mapping",
    "aliases: {no: bert}": "mine.yaml:1: aliases.no: YAML reads no as false",
    "tasks: {a: b}": "mine.yaml:1: tasks is a mapping; it must be a list of names, task files or tasks",
    "tasks: [no]": "mine.yaml:1: tasks: YAML reads no as false",
    "tasks: [mini-sentimet]": "mine.yaml:1: tasks: unknown task 'mini-sentimet'; did you mean 'mini-sentiment'",
    "tasks: [mini-ner, {family: nre, data: {format: csv, files: a.csv}}]": "mine.yaml:1: tasks 2.family: unknown task family 'nre'; did you mean 'ner'",
    "tasks: [mini-ner, mini-ner, {name: mini-ner, family: ner, data: {format: conll, files: a}}]": "mine.yaml:1: tasks 3: two tasks are called 'mini-ner'",
    "recipes: {epochs: 3}": "mine.yaml:1: recipes is a mapping; it must be a list of rules",
    "recipes: [5]": "mine.yaml:1: recipes is 5; a rule maps",
    "recipes:\n- epochs: 3\n- epochs: yes": "mine.yaml:3: recipes 2.epochs: recipe.epochs is True; it must be a whole number",
    "recipes: [{epochs: 1.5}]": "mine.yaml:1: recipes.epochs: recipe.epochs is 1.5; it must be a whole number",
    "recipes: [{lr: .nan}]": "mine.yaml:1: recipes.lr: recipe.learning_rate is nan; it must be a number",
    "recipes: [{lr: .inf}]": "mine.yaml:1: recipes.lr: recipe.learning_rate is inf; it must be a number",
    "recipes: [{epoch: 3}]": "mine.yaml:1: recipes.epoch: unknown recipe field 'epoch'; did you mean 'epochs'",
    "recipes: [{epochs: 3, width: a}]": "mine.yaml:1: recipes.width is 'a'",
    "recipes: [{when: {famly: ner}}]": "mine.yaml:1: recipes.when: unknown condition 'famly'; did you mean 'family'",
    "recipes: [{when: {family: nre}}]": "mine.yaml:1: recipes.when.family: unknown family 'nre'; did you mean 'ner'",
    "recipes: [{when: {method: [full, lore]}}]": "mine.yaml:1: recipes.when.method 2: unknown method 'lore'; did you mean 'lora'",
    "recipes: [{when: {architecture: encoders}}]": "mine.yaml:1: recipes.when.architecture: unknown architecture 'encoders'; did you mean 'encoder'",
    "recipes: [{when: {task: no}}]": "mine.yaml:1: recipes.when.task: YAML reads no as false",
    "search: {grid: [{lr: [1.0e-5, yes]}]}": "mine.yaml:1: search.grid.lr: recipe.learning_rate is True",
    "search: {grid: [{when: {method: lore}, lr: [1.0e-5, 1.0e-4]}]}": "mine.yaml:1: search.grid.when.method: unknown method 'lore'",
    "search: {optuna: [{lr: {low: 2, high: 1}}]}": "mine.yaml:1: search.optuna.lr: learning_rate is",
    "search: no": "mine.yaml:1: search is no; it must be a mapping",
    "methods: full\nmethods: lora": "mine.yaml:2: the key methods stands here again, after line 1",
}  # fmt: skip


@pytest.mark.parametrize("text", SUITE_WRONG)
def test_mistakes_in_a_suite_have_their_line(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text + "\n")
    with pytest.raises(BenchError) as error:
        load_suite("mine.yaml")
    assert any(line.startswith(SUITE_WRONG[text]) for line in str(error.value).split("\n")), str(error.value)


def test_mistakes_of_a_task_file_beside_a_suite_have_its_name(tmp_path):
    (tmp_path / "mine.yaml").write_text("tasks: [own.yaml]\nseeds: yes\n")
    (tmp_path / "own.yaml").write_text(HEAD + "limit: yes\n")
    with pytest.raises(BenchError) as error:
        load_suite(str(tmp_path / "mine.yaml"))
    lines = str(error.value).split("\n")
    assert lines[0].startswith(f"{tmp_path}/own.yaml:3: limit") and lines[1].startswith(
        f"{tmp_path}/mine.yaml:2: seeds"
    )


def test_conditions_that_nothing_known_meets_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "models: {small: ./a}\ntasks: [mini-ner]\nrecipes:\n- {when: {kind: Bert}, epochs: 1}\n- {when: {model: [small, smal]}, epochs: 1}\n"
        "- {when: {task: mini-nre}, epochs: 1}\n- {when: {kind: BERT, task: mini-ner, model: bert}, epochs: 2}\n"
    )
    assert load_suite("mine.yaml").notes == (
        "mine.yaml:4: recipes 1.when.kind 'Bert' is no kind known here; did you mean 'BERT'?",
        "mine.yaml:5: recipes 2.when.model 2 'smal' is no model known here; did you mean 'small'?",
        "mine.yaml:6: recipes 3.when.task 'mini-nre' is no task known here; did you mean 'mini-ner'?",
    )


SCALARS = st.one_of(
    st.sampled_from(
        ["no", "on", "~", "", "1.1", ".inf", ".nan", "-1", "0x1F", "010", "1:30", "2024-01-01", "=", "<<", "*a", "&a b", "!!int x", "!!set {}",
         "ner", "sentiment", "csv", "all", "x.csv", "~nosuchuser/x", "'quoted'", '"a\\u202E"', "[a, b]", "{a: b}", "{list: [a]}", "9" * 5000, "auto", "suite",
         "optuna:5", "lr=1e-5,3e-5", "[full, lora]", "[{epochs: 3}]", "[{when: {family: ner}, lr: [1, 2]}]", "{grid: [{lr: [1, 2]}]}", "{run: suite}"]
    ),
    st.text(alphabet=string.printable, max_size=12),
    st.text(max_size=6),
    st.integers().map(str), st.floats().map(str),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(
        ["name", "family", "version", "description", "data", "columns", "labels", "options", "limit", "models", "aliases", "tasks", "recipes", "search",
         "methods", "seeds", "train_sizes", "format", "files", "hub", "splits", "revision", "data_files", "config", "text", "label", "metric", "language",
         "when", "epochs", "lr", "kind", "model", "task", "grid", "optuna", "run", "train", "test", "<<", "low", "high"]
    ),
    st.text(alphabet=string.printable, max_size=6),
)  # fmt: skip


def written(content, indent=0):
    """A nest of pairs and lists as a block of YAML, whatever is in it."""
    gap = "  " * indent
    if isinstance(content, str):
        return f" {content}\n"
    if isinstance(content, dict):
        return "\n" + "".join(f"{gap}{key}:{written(value, indent + 1)}" for key, value in content.items())
    return "\n" + "".join(f"{gap}-{written(value, indent + 1)}" for value in content)


CONTENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.dictionaries(KEYS, inner, max_size=4), st.lists(inner, max_size=3)),
    max_leaves=12,
)
FILES = st.tuples(
    st.sampled_from(["", "family: sentiment\n", HEAD, "tasks: [mini-ner]\nmodels: [bert]\n", BOMB]),
    st.dictionaries(KEYS, CONTENTS, min_size=1, max_size=6),
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.sampled_from(["", "\t", "\n", "[", "{", "*", "&", ":", "#", "\0", "é", "\ud800", "'", '"']),
        ),
        max_size=3,
    ),
)


def fuzz(folder, file):
    head, content, changes = file
    text = head + written(content).lstrip("\n")
    for place, letter in changes:
        text = text[:place] + letter + text[place + 1 :]
    path = folder / "fuzz.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (load_task, lambda path: load_suite(str(path))):
        began = time.monotonic()
        try:
            read(path)
        except BenchError as error:
            assert all(len(line) < 1500 for line in str(error).split("\n"))
        assert time.monotonic() - began < 5


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(FILES)
def test_whatever_stands_in_a_file_it_is_read_or_refused(tmp_path, file):
    fuzz(tmp_path, file)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(FILES)
def test_ten_thousand_files_are_read_or_refused(tmp_path, file):
    fuzz(tmp_path, file)
