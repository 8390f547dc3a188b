"""LaTeX that compiles, whatever things are called, and the critical-difference diagram."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from made_boards import write_board
from made_records import failed, record

from harness.report.board import Board
from harness.report.board_text import FLAGS
from harness.report.latex import MARKS, escape_latex, to_latex
from harness.report.ranks_over_tasks import diagram, over_tasks
from harness.stats.over_tasks import Overall, Ranked, TaskMean
from harness.stats.standings import standings

NASTY = r"a_b%c#d$e&f{g}h~i^j\k<l>m|n\"o--p`q'r"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("made")
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        store = write_board(folder / "results", models=4, tasks=6)
        store.write(failed("task-1", "model-2", seed=3))
        records = [*store.records()]
        return Board.of(records, standings=standings(store, records))


def test_table_has_means_intervals_letters_and_bold(board):
    text = to_latex(board)
    plain = re.sub(r"\\phantom\{(?:[^{}]|\{[^{}]*\})*\}", "", text)
    assert text.count(r"\begin{table}") == 3 and "Over 6 tasks" in text  # five tasks, one, and over all
    for row in board.rows:
        for title, entry in row.entries.items():
            half = max(entry.standing.high - entry.mean, entry.mean - entry.standing.low)  # one side may end at 100
            mean = rf"\textbf{{{entry.mean:.2f}}}" if "a" in entry.standing.letters else f"{entry.mean:.2f}"
            cell = rf"& {mean}\,$\pm$\,{half:.2f}\textsuperscript{{{entry.standing.letters}}}"
            assert cell in plain, (row.title, title)
    assert r"\textsuperscript{$\times$1}" in text and "so many seeds failed" in text


def test_rows_not_shown_to_beat_a_baseline_have_one_mark(tmp_path):
    """Every flag of the board has a mark here too."""
    assert set(MARKS) == set(FLAGS)
    low, base = record(score=45.0), record(model="tfidf", score=60.0, method="baseline", id="b")
    text = to_latex(Board.of([low, base]))
    line = next(line for line in text.splitlines() if line.startswith("bert &"))
    assert line.count(r"$\dag$") == 1 and escape_latex(FLAGS["baseline"][1]) in text
    assert text.count(r"$\dag$: ") == 1 and r"\emph{tfidf} &" in text


def test_marks_do_not_move_the_numbers(tmp_path):
    """Each cell with a score is as wide as the widest: what it lacks of marks is there, unseen."""
    marked = [record(model="one", score=45.0, constant=True), record(model="two", score=45.0), record(model="three")]
    text = to_latex(Board.of([*marked, failed(model="three", seed=1), failed(model="four")]))
    cells = {line.split(" &")[0]: line for line in text.splitlines() if line.endswith(r"\\")}
    longest = r"\textsuperscript{$\times$1}"
    assert cells["three"].endswith(rf"90.00}}{longest} \\") and cells["four"].endswith(rf"failed{longest} \\")
    assert cells["one"].endswith(rf"\rlap{{$\dag$$!$$\ddag$}}\phantom{{{longest}}} \\")
    assert cells["two"].endswith(rf"\rlap{{$\dag$}}\phantom{{{longest}}} \\")


def test_wide_boards_are_split_into_several_tables():
    name = "a-rather-long-name-of-a-data-set"
    text = to_latex(Board.of([record(f"{name}-{number}", "bert") for number in range(4)]))
    assert text.count(r"\begin{table}") == 2 and text.count(escape_latex(name)) == 4
    narrow = to_latex(Board.of([record(f"{number}", "bert") for number in range(4)]))
    assert narrow.count(r"\begin{table}") == 1 and "average" in narrow


def test_fewer_seeds_are_explained_over_all_tasks(board):
    few = Ranked("x", "x", "full", TaskMean(1.5, 1.0, 2.0), TaskMean(0.5, -0.5, 1.0), TaskMean(0.5, 0.0, 1.0), "a", True)
    text = to_latex(Board(**{**vars(board), "overall": Overall(("x", "y"), (), (few,), (), None, ())}))
    assert r"$\P$: fewer seeds" in text and "0.50 ($-$0.50--1.00)" in text and r"$\P$: fewer" not in to_latex(board)


def test_special_characters_are_escaped():
    text = escape_latex(NASTY)
    assert not re.search(r"(?<!\\)[_%#&]", text) and "-{}-" in text
    assert escape_latex("A·B\nC") == r"A$\cdot$B C"


LATEX = shutil.which("pdflatex") or shutil.which("tectonic")


@pytest.mark.slow
@pytest.mark.skipif(not LATEX, reason="no LaTeX on this machine")
def test_it_compiles(board, tmp_path):
    nasty = [record(NASTY, NASTY, 90.0), record(NASTY, "b", 40.0, method="scratch", constant=True)]
    for name, made in {"board": board, "nasty": Board.of(nasty), "empty": Board.of([])}.items():
        (tmp_path / f"{name}.tex").write_text(to_latex(made), encoding="utf-8")
        text = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}x \input{{{name}.tex}}\end{{document}}"
        (tmp_path / "whole.tex").write_text(text)
        flags = ["-interaction=nonstopmode", "-halt-on-error"] if "pdflatex" in LATEX else []
        done = subprocess.run(
            [LATEX, *flags, "whole.tex"], cwd=tmp_path, capture_output=True, text=True, errors="replace"
        )
        assert done.returncode == 0 and "Overfull" not in done.stdout, done.stdout[-2000:]


def test_the_diagram_is_a_picture_of_the_ranks_and_groups(board):
    root = ElementTree.fromstring(diagram(board))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for row in board.overall.rows:
        assert f"{row.title} ({row.rank.value:.2f})" in texts
    dots = len([*root.iter("{http://www.w3.org/2000/svg}circle")])
    letters = "".join(row.letters for row in board.overall.rows)
    assert dots == sum(letters.count(letter) for letter in set(letters) if letters.count(letter) > 1)
    assert any(text.startswith("CD = ") for text in texts)
    assert "No ranks" in diagram(Board.of([record()]))


def test_names_in_the_diagram_and_in_the_section_are_escaped(board):
    def row(name, rank, letters):
        return Ranked(name, name, "full", TaskMean(rank, 1.0, 2.0), None, TaskMean(0.5, 0.0, 1.0), letters, True)

    found = Overall(("x", "y"), (), (row("<a_1>", 1.2, "a"), row("模型", 1.8, "ab")), (), None, ("why *not*",))
    made = Board(**{**vars(board), "overall": found})
    assert "&lt;a_1&gt;¶ (1.20)" in diagram(made) and ElementTree.fromstring(diagram(made)) is not None
    text = "\n".join(over_tasks(made))
    assert r"\<a" in text and "–" in text and r"why \*not\*" in text and "`a·`" in text and "`ab`" in text
