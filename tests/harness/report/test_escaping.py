"""Names out of data stay names: in YAML, on terminals, in Markdown, LaTeX, HTML, SVG and CSV."""

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import record
from rich.table import Table
from rich.text import Text

from harness import registry
from harness.cli import main as cli
from harness.data.columns import bind
from harness.planning.taskfile import load_task
from harness.report.board import Board, Failure
from harness.report.formats import FORMATS
from harness.report.markdown_tables import escape
from harness.report.page.view import fill
from harness.safe_text import console, plain, shell_command, visible
from harness.scaffold.write import _scalar

NAMES = [
    "a|b", "a\nlimit: 6", "=HYPERLINK(1)", "-1", "+x", "@y", "<script>alert(1)</script>", "[red]x[/red]", "`code`", "a\x1b[31mb", "a\u202eb", "\\|",
    "$x^2$", "&lt;", "100 % # _ {x}", "*b*", "a\rb", "a\u2028b", "\"quoted\" 'text'", "\x00null", "# heading",
]  # fmt: skip
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
SHARED = ["48.csv", "48b.csv", "x,y.csv"]


def board(name):
    slices = {"label": {name: {"rows": 10, "score": 50.0}, "other": {"rows": 10, "score": 60.0}}}
    metrics = {
        "test": {"accuracy": 0.9, "slices": slices},
        "trivial": {"accuracy": 0.5},
        "phenomena": {},
        "slices": slices,
    }
    return Board.of(
        [record(task=f"t {name}", model=name, seed=seed, metrics=metrics, id=f"x{seed}") for seed in range(2)]
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["md", "latex", "csv", "slices", "json", "svg"])
def test_no_format_breaks_or_acts_on_a_name(name, form):
    text = FORMATS[form](board(name))
    assert not ACTS.search(text) or form == "json"  # which has the names as they are
    if form == "md":
        tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        for part in tables:
            assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in part.splitlines()}) == 1, part
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        assert "<script" not in prose.replace("\\<script", "") and not re.search(r"^limit: 6", text, re.MULTILINE)
    if form in ("csv", "slices"):
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1
        texts = [cell for row in rows[1:] for cell in row if not re.fullmatch(r"-?[\d.e-]+", cell)]
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in texts)
        assert any(cell.removeprefix("'") == plain(name) for cell in texts)


@pytest.mark.parametrize("name", NAMES)
def test_terminal_and_page_show_control_characters(name, capsys):
    screen = console(file=io.StringIO(), width=200, color_system=None)
    table = Table(name)
    table.add_row(Text(name))
    table.add_row(name)
    screen.print(table, name)
    assert not ACTS.search(screen.file.getvalue())
    if name == "[red]x[/red]":
        assert screen.file.getvalue().count(name) == 4
    assert not ACTS.search(fill("failures.html", failures=[(Failure(name, name, name, name, name), name)]))
    assert "\n" not in escape(name) and not ACTS.search(escape(name))


def test_names_do_not_change_the_colours_of_a_terminal():
    screen = console(file=io.StringIO(), width=40, force_terminal=True, color_system="standard")
    screen.print(Text("a\x1b[5mb", style="red"))
    assert screen.file.getvalue() == "\x1b[31ma\\x1b[5mb\x1b[0m\n"


def test_right_to_left_scripts_are_shown_unchanged():
    assert visible("שלום\u200f עולם\n") == "שלום\u200f עולם\n" and plain("שלום") == "שלום"


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
@pytest.mark.parametrize("name", [name for name in NAMES if "\x00" not in name])
def test_commands_are_quoted_for_a_shell(name):
    line = shell_command(["printf", "%s", name])
    assert "\n" not in line and subprocess.run(["bash", "-c", line], capture_output=True).stdout.decode() == name


def scaffolded(folder, header, label, monkeypatch):
    monkeypatch.chdir(folder)
    with open("x.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", header])
        for number in range(30):
            writer.writerow([f"a nice text {number}", label if number % 2 else "other", number % 3])
    monkeypatch.setattr("sys.argv", ["bench", "task", "new", "x.csv", "--output", "x.yaml", "--force"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    return Path("x.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in NAMES if "\x00" not in name])
def test_names_do_not_become_keys_of_a_task_file(name, tmp_path, monkeypatch):
    text = scaffolded(tmp_path, name, name, monkeypatch)
    content = yaml.safe_load(text)
    assert set(content) == {"name", "version", "family", "data", "columns"} and not ACTS.search(text)
    load_task(Path("x.yaml"))


def test_columns_with_odd_names_can_be_read_back(tmp_path, monkeypatch):
    text = scaffolded(tmp_path, "more", "x", monkeypatch).replace("text", "text")
    assert bind([{"a\nb: c": 1}], {"text": yaml.safe_load(_scalar("a\nb: c"))}) == [{"text": 1}] and text


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_one_line_of_yaml(text):
    line = _scalar(text)
    assert "\n" not in line and not ACTS.search(line)
    if not re.search("[\ud800-\udfff]", text):
        assert yaml.safe_load(f"a: {line}") == {"a": text}


@pytest.mark.parametrize("name", SHARED)
def test_published_cases_are_written_and_checked(name, shared, tmp_path, monkeypatch, capsys):
    file = shared / "cases" / "repro" / name
    if not file.is_file():
        pytest.skip(f"no {file.name} among the published cases")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bench", "task", "new", str(file), "--output", "made.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    task = load_task(tmp_path / "made.yaml")
    assert task.limit is None and registry.family(task.family)
    assert len(capsys.readouterr().out.splitlines()) == 1
