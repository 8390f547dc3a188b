"""The section of learning curves: its structure here, its use in a browser in `test_browser.py`."""

import re
from itertools import pairwise

import pytest
from made_curves import write_curve
from made_page import HOSTILE, folder, view
from page_parser import parse

from harness.report.board import Board
from harness.report.curves import Curve, CurveLine, CurvePoint, CurveSize
from harness.report.page.charts import LEFT, TOP, WIDTH, drawable, learning_curve
from harness.report.page.render import page
from harness.report.page.view import View
from harness.stats.standings import standings
from harness.store import Store

SKILLS = {"gpt": [0.75, 0.78, 0.79, 0.80], "bert": [0.55, 0.775, 0.90, None]}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    store = write_curve(tmp_path_factory.mktemp("curves") / "results", SKILLS, rows=100)
    return parse(page(of(store)))


def of(store):
    records = list(store.records())
    return View.of(records, standings(store, records), store, "results")


def numbers(path):
    return [float(number) for number in re.findall(r"-?\d+\.\d", path)]


def test_no_section_without_sizes(tmp_path):
    assert not parse(page(view(folder(tmp_path)))).has("curves")


def test_chart_has_a_name_and_a_mark_for_each_point_and_the_table_the_same_numbers(tree):
    section = tree.id("curves")
    svg = section.one("svg")
    assert tree.id(svg.attributes["aria-labelledby"]).text == "Learning curves of films"
    assert tree.id(svg.attributes["aria-describedby"]).text.startswith("accuracy against training rows")
    points = svg.all("g", role="img")
    assert len(points) == 7
    table = section.one("table")
    assert [one.text for one in table.one("thead").all("th")] == ["model", "100 rows", "300", "1,000", "all 5,000"]
    cells = {line.one("th").text: [cell.text for cell in line.all("td")] for line in table.one("tbody").all("tr")}
    assert list(cells) == ["bert", "gpt"] and cells["bert"][-1] == "–"
    for point in points:
        told = point.attributes["aria-label"]
        name, score, size = re.fullmatch(r"(\w+): (.+) accuracy at (.+) rows", told).groups()
        assert cells[name][["100", "300", "1,000", "all 5,000"].index(size)] == score
        assert point.attributes["tabindex"] == "0" and point.one("title").text == told == point.one("text").text
    ids = [one.attributes["id"] for one in tree if one.attributes.get("id")]
    assert len(ids) == len(set(ids)) and not [one for one in section if "style" in one.attributes]


def test_points_are_in_the_order_of_sizes_and_scores(tree):
    svg = tree.id("curves").one("svg")
    marks = {}
    for point in svg.all("g", role="img"):
        name, _, rest = point.attributes["aria-label"].partition(": ")
        path = next(one for one in point.all("path"))
        marks.setdefault(name, []).append((*numbers(path.attributes["transform"]), float(rest.split()[0])))
    everything = [mark for own in marks.values() for mark in own]
    for own in marks.values():
        assert [x for x, *_ in own] == sorted(x for x, *_ in own)
        (x100, *_), (x300, *_), (x1000, *_) = own[:3]
        assert (x300 - x100) / (x1000 - x100) == pytest.approx(0.477, abs=0.002)  # log 3 / log 10
    for _, y, score in everything:
        assert all((y < other) == (score > than) for _, other, than in everything if abs(score - than) > 0.2)
    (name,) = svg.all("g", class_="name encoder dash-1")
    assert name.text == "gpt" and svg.all("g", class_="curve encoder dash-1")


def made(titles, points, sizes=((100, 100), (None, 5000)), low=None):
    """A curve of lines with these means at each size."""
    lines = tuple(
        CurveLine(
            title, title, "full", "decoder", tuple(p and CurvePoint(p, None, low, 100.0 if low else None, 1, 0) for p in own)
        )
        for title, own in zip(titles, points, strict=True)
    )
    return Curve("films", "accuracy", tuple(CurveSize(size, rows, 50.0) for size, rows in sizes), lines, None, ())


def test_names_of_many_models_do_not_overlap_and_stay_inside_the_picture():
    titles = [f"model {number} of a rather long name, longer than fits" for number in range(40)]
    for means in ([80.0] * 40, [60.0 + number / 10 for number in range(40)], [0.1] * 39 + [99.9]):
        svg = parse(learning_curve(made(titles, [(50.0, mean) for mean in means], low=0.01), 0)).one("svg")
        height = float(svg.attributes["viewbox"].split()[3])
        names = [one.one("text") for one in svg.all("g") if (one.attributes.get("class") or "").startswith("name")]
        ups = sorted(float(one.attributes["y"]) for one in names)
        assert len(ups) == 40 and min(b - a for a, b in pairwise(ups)) >= 14.9
        assert ups[0] > TOP and ups[-1] < height
        for one in svg:
            if one.tag == "path" and "d" in one.attributes and "transform" not in one.attributes:
                assert all(number <= max(WIDTH, height) for number in numbers(one.attributes["d"]))
        for point in svg.all("g", role="img"):
            x, y = numbers(point.one("path").attributes["transform"])
            assert LEFT < x < WIDTH and TOP <= y < height


def test_unusual_curves():
    assert not drawable(made(["a"], [(None, None)]))
    assert drawable(made(["a"], [(None, 5.0)]))
    for curve in (made(["a"], [(None, 5.0)]), made(["a"], [(5.0, 5.0)]), made(["a", "b"], [(5.0, 5.0), (None, None)]),
                  made(["a"], [(5.0, 7.0)], ((100, 100), (None, 100)))):  # fmt: skip
        assert "nan" not in learning_curve(curve, 0).lower()
    assert drawable(made(["a"], [(5.0, 6.0)], ((100, 100), (None, None))))


def test_hostile_names_are_texts(tmp_path):
    store = write_curve(tmp_path, {"a": [0.5, 0.6], "b": [0.6, 0.5]}, (100, None), rows=20)
    for one in list(store.records()):
        one = {
            **one,
            "model": {**one["model"], "name": HOSTILE, "architecture": HOSTILE},
            "task": {**one["task"], "name": HOSTILE},
        }
        Store(tmp_path / "hostile").write(one)
    hostile = Store(tmp_path / "hostile")
    tree = parse(page(of(hostile)))
    assert HOSTILE in tree.id("curves").text and not tree.all("img") and len(tree.all("script")) <= 12
    assert Board.of(list(hostile.records())).curves[0].task == HOSTILE
