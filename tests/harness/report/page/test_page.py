"""The page as a whole: its structure, what it must never do, and that its numbers are the board's."""

import base64
import hashlib
import itertools
import json
import random
import re
from dataclasses import replace
from importlib.resources import files

import pytest
from made_page import HOSTILE, folder, hostile, view
from made_records import record
from markupsafe import Markup
from page_parser import parse

from harness.grouping.costs import memory, sizes
from harness.report.board_text import score
from harness.report.formats import to_json
from harness.report.page.render import SECTIONS, page
from harness.report.page.view import Part, Section, fill
from harness.store import Store

PACKAGE = files("harness.report.page")


@pytest.fixture
def store(tmp_path):
    return folder(tmp_path / "results")


@pytest.fixture
def tree(store):
    return parse(page(view(store)))


def test_structure_for_screen_readers(tree):
    for landmark in ("header", "main", "footer", "nav"):
        tree.one(landmark)
    assert tree.one("html").attributes["lang"] == "en"
    ids = [one.attributes["id"] for one in tree if one.attributes.get("id")]
    assert len(ids) == len(set(ids))
    levels = [int(one.tag[1]) for one in tree if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(next_one <= level + 1 for level, next_one in itertools.pairwise(levels))
    for control in (one for one in tree if one.tag in ("input", "select")):
        assert tree.one("label", for_=control.attributes["id"]).text
    for section in tree.all("section"):
        assert tree.id(section.attributes["aria-labelledby"]).text
    for link in tree.one("nav").all("a"):
        assert tree.id(link.attributes["href"].removeprefix("#")).tag == "section"
    for heading in tree.id("scores-table").one("thead").all("th"):
        assert heading.attributes["scope"] == "col" and heading.attributes["aria-sort"] == "none"
        assert heading.one("button").attributes["type"] == "button"
    for box in tree.all("div", class_="box"):
        assert (box.attributes["tabindex"] == "0" and box.attributes["aria-label"]) or box.attributes.get("id")


def test_nothing_is_loaded_and_only_its_own_script_runs(store):
    text = page(view(store))
    tree = parse(text)
    assert not [one for one in tree if one.attributes.keys() & {"src", "srcset", "style", "action"}]
    assert not [name for one in tree for name in one.attributes if name.startswith("on")]
    links = [one.attributes["href"] for one in tree if "href" in one.attributes]
    assert all(link.startswith("#") or link.startswith("results/cells/") for link in links)
    assert not re.search(r"url\(|@import", tree.one("style").text)
    policy = tree.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and "unsafe" not in policy
    (script,) = [one for one in tree.all("script") if "type" not in one.attributes]
    for rule, element in (("script-src", script), ("style-src", tree.one("style"))):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.search(
        r"innerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp|https?://(?!www\.w3\.org)", script.text
    )


def test_texts_of_records_do_not_become_tags(tmp_path):
    store = hostile(tmp_path / "results")
    text = page(view(store))
    tree = parse(text)
    assert not tree.all("img") and len(tree.all("main")) == 1
    made = [section for section in SECTIONS if tree.has(section.name)]
    assert {"scores", "cost", "slices", "types", "confusion", "errors", "tasks", "failures"} <= {
        one.name for one in made
    }
    assert len(tree.all("script")) == 1 + len([one for one in made if tree.has(f"data-{one.name}")])
    assert HOSTILE in tree.id("scores-table").text and HOSTILE in tree.id("failures").text
    assert HOSTILE in tree.data("confusion")[0]["labels"] and HOSTILE in tree.data("errors")[0]["ids"]
    assert "<script>alert" not in text and "<img" not in text


def test_the_same_records_give_the_same_bytes(store, tmp_path):
    text = page(view(store))
    shuffled = Store(tmp_path / "again" / "results")
    records = list(store.records())
    random.Random(3).shuffle(records)
    for one in records:
        lines = [] if one["status"] == "failed" else store.predictions(one["id"])
        shuffled.write(one, lines)
    found = page(replace(view(shuffled), store=store))
    assert found == text
    assert page(view(store)) == text


def test_figures_of_the_table_equal_those_of_the_board(store, tree):
    board = json.loads(to_json(view(store).board))
    table = tree.id("scores-table")
    rows = table.one("tbody").all("tr")
    assert [row.attributes["data-title"] for row in rows] == [row["title"] for row in board["rows"]]
    for line, row in zip(rows, board["rows"], strict=True):
        for column in board["columns"]:
            cell = line.one("td", data_task=column["title"])
            entry = row["entries"].get(column["title"])
            if entry is None:
                assert cell.text == "–" and "data-v" not in cell.attributes
                continue
            if entry["mean"] is None:
                assert "failed" in cell.text and "data-v" not in cell.attributes
            else:
                assert float(cell.attributes["data-v"]) == entry["mean"]
                assert cell.one("span", class_="mean").text == score(entry["mean"])
                assert ("best" in cell.attributes["class"].split()) == entry["best"]
            if standing := entry["standing"]:
                assert score(standing["low"]) in cell.text and score(standing["high"]) in cell.text
                assert cell.one("span", class_="letters").text == standing["letters"]
        average, parameters, seconds, peak = [cell for cell in line.all("td") if "data-task" not in cell.attributes]
        assert average.attributes.get("data-v") == (None if row["average"] is None else str(row["average"]))
        assert parameters.text == sizes(tuple(row["parameters"])) and parameters.attributes["data-v"] == str(
            row["parameters"][1]
        )
        assert float(seconds.attributes["data-v"]) == row["train_seconds"]
        assert peak.text == memory(row["peak_memory_bytes"])
    trivial = [cell.text for cell in table.one("tfoot").all("td")]
    assert trivial[:3] == [*(score(column["trivial"]) for column in board["columns"]), score(board["trivial_average"])]


def test_every_number_links_to_its_records(store, tree):
    cells = tree.data("scores")["cells"]
    seen = view(store)
    for line, row in zip(tree.id("scores-table").one("tbody").all("tr"), seen.board.rows, strict=True):
        for title, entry in row.entries.items():
            link = line.one("td", data_task=title).one("a")
            cell = cells[int(link.attributes["data-cell"])]
            assert cell["title"] == f"{row.title} on {title}"
            assert [int(seed[0]) for seed in cell["seeds"]] == sorted([*entry.scores, *entry.failed])
            for number, _, shown, *_, name, address in cell["seeds"]:
                kept = store.record(name)
                assert address == f"results/cells/{name}/record.json" and kept["seed"] == int(number)
                assert shown == score(kept["score"])
            assert link.attributes["href"] == cell["seeds"][0][-1]
    (bad,) = [seed for cell in cells for seed in cell["seeds"] if seed[1] != "ok"]
    assert bad[1] == "RuntimeError: out of memory"


def test_head_of_the_page(tree):
    header = tree.one("header").text
    for told in ("own", "2026-01-02", "bench run --suite own", "--format html"):
        assert told in header
    assert "cannot be told apart" in tree.id("scores").text
    figures = dict(zip(*([one.text for one in tree.one("header").all(name)] for name in ("dt", "dd")), strict=True))
    assert figures["cells"] == "9" and figures["failed"] == "1"
    assert figures["models"] == "3" and figures["baselines"] == "0"


def test_another_section_is_one_entry(store):
    shown = Section("mine", "My section", lambda view: Part(Markup("<p>{}</p>").format("<b>"), {"rows": len(view.board.rows)}))
    silent = Section("silent", "Nothing", lambda view: None)
    tree = parse(page(view(store), [*SECTIONS, shown, silent]))
    assert tree.id("mine").one("h2").text == "My section" and tree.id("mine").one("p").text == "<b>"
    assert tree.data("mine") == {"rows": 3} and not tree.has("silent")


def test_every_script_and_style_is_used():
    from harness.report.page.render import FIRST, LAST, STYLES

    scripts = {name for section in SECTIONS for name in section.scripts} | {FIRST, LAST}
    assert scripts == {one.name for one in (PACKAGE / "js").iterdir()}
    assert set(STYLES) == {one.name for one in (PACKAGE / "css").iterdir()}
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


def test_without_predictions_and_without_records(tmp_path):
    bare = Store(tmp_path / "bare")
    bare.write(record())
    tree = parse(page(view(bare)))
    assert tree.has("scores") and not tree.has("confusion") and not tree.has("errors")
    (tmp_path / "none" / "cells").mkdir(parents=True)
    tree = parse(page(view(Store(tmp_path / "none"))))
    assert "bench run" in tree.id("empty").text and not tree.has("scores")


def test_page_with_a_score_that_is_not_a_number(tmp_path):
    store = Store(tmp_path)
    for made in (record(trivial_score=float("nan")), record(model="b", score=float("nan"))):
        store.write(made)
    tree = parse(page(view(store)))
    assert tree.data("cost")["plots"][0]["trivial"] is None and "NaN" not in tree.id("data-cost").text
    assert "which is no number" in tree.id("failures").text


def test_templates_escape_all_but_markup_and_show_control_characters():
    made = fill("lines.html", text="a & \x1b<b>", lines=['"', Markup("<i>1</i>")])
    assert isinstance(made, Markup)
    assert "".join(made.split("\n")) == "<p>a &amp; \\x1b&lt;b&gt;</p><ul><li>&#34;</li><li><i>1</i></li></ul>"
