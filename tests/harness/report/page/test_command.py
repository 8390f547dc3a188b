"""`bench leaderboard --format html`, as a person calls it."""

import os
import subprocess
import sys
from pathlib import Path

from made_page import folder
from page_parser import parse
from typer.testing import CliRunner

from harness.cli.main import app

ROOT = Path(__file__).resolve().parents[4]


def bench(*arguments):
    return CliRunner().invoke(app, ["leaderboard", *map(str, arguments)])


def test_links_lead_from_the_page_to_the_records(tmp_path):
    store = folder(tmp_path / "some where" / "results")
    target = tmp_path / "pages" / "board.html"
    target.parent.mkdir()
    done = bench("--results", store.root, "--format", "html", "--output", target)
    assert done.exit_code == 0, done.output
    tree = parse(target.read_text(encoding="utf-8"))
    links = [seed[-1] for cell in tree.data("scores")["cells"] for seed in cell["seeds"]]
    assert len(links) == 9 and links[0].startswith("../some%20where/results/cells/")
    assert all((target.parent / link.replace("%20", " ")).is_file() for link in links)


def test_prints_without_output_and_respects_rows(tmp_path):
    store = folder(tmp_path / "results")
    done = bench("--results", store.root, "--format", "html", "--rows", "4")
    tree = parse(done.stdout)
    assert [len(task["ids"]) for task in tree.data("errors")] == [4, 2]
    assert "use --with-texts" in tree.id("errors").text


def test_two_processes_write_the_same_bytes(tmp_path):
    pages = []
    for number in ("1", "2"):
        page = tmp_path / f"{number}.html"
        words = [
            sys.executable,
            "-m",
            "harness",
            "leaderboard",
            "--results",
            "results",
            "--format",
            "html",
            "--output",
            page,
        ]
        subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": number}, check=True)
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
    assert 100_000 < len(pages[0]) < 1_000_000


def test_with_texts(tmp_path):
    tree = parse(bench("--results", ROOT / "results", "--format", "html", "--rows", "20", "--with-texts").stdout)
    for task in tree.data("errors"):
        assert len(task["read"]) == 20 and all(task["read"]) and "unread" not in task
    made = folder(tmp_path / "results")
    tree = parse(bench("--results", made.root, "--format", "html", "--with-texts").stdout)
    told = [task["unread"] for task in tree.data("errors")]
    assert len(told) == 2 and all("not registered here" in why for why in told)
