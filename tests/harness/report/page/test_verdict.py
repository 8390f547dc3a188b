"""The page begins with the verdict: its words are those of `harness.report.verdict`."""

import pytest
from made_page import HOSTILE, folder, hostile, view
from made_records import failed, record
from page_parser import parse

from harness.methods import BASELINE
from harness.report.page.render import SECTIONS, page
from harness.report.page.table_sections import OUTCOMES
from harness.report.verdict import verdict
from harness.store import Store


def cards(tree):
    return [one for one in tree.id("verdict").all("li") if "card" in one.attributes.get("class", "").split()]


def test_a_card_for_each_task_and_a_line_over_all(tmp_path):
    seen = view(folder(tmp_path / "results"))
    tree, told = parse(page(seen)), verdict(seen.board)
    assert SECTIONS[1].name == "verdict" and tree.one("main").all("section")[0].attributes["id"] == "verdict"
    assert [card.one("h3").text for card in cards(tree)] == [f"{one.task} {OUTCOMES[one.outcome]}" for one in told.tasks]
    for card, one in zip(cards(tree), told.tasks, strict=True):
        assert f"{one.task}: {card.one('p').text}" == one.line
        assert card.attributes["class"] == f"card {one.outcome}"
    assert told.overall.line in tree.id("verdict").text


def test_one_task_has_no_line_over_all(tmp_path):
    store = Store(tmp_path)
    store.write(record())
    tree = parse(page(view(store)))
    assert len(cards(tree)) == 1 and len(tree.id("verdict").all("p")) == 1


@pytest.mark.parametrize(
    ("records", "outcome"),
    [
        ([record(), record(model="majority", method=BASELINE, score=95.0)], "baseline"),
        ([failed(), record(model="majority", method=BASELINE, score=50.0)], "failed"),
    ],
)
def test_tasks_without_a_model_to_fine_tune(tmp_path, records, outcome):
    store = Store(tmp_path)
    for one in records:
        one["task"]["fingerprint"] = "f"
        store.write(one)
    (card,) = cards(parse(page(view(store))))
    assert card.attributes["class"] == f"card {outcome}"


def test_texts_of_records_are_escaped(tmp_path):
    tree = parse(page(view(hostile(tmp_path / "results"))))
    assert HOSTILE in tree.id("verdict").text and not tree.all("img")


def test_baselines_are_among_the_rows_and_marked(tmp_path):
    store = Store(tmp_path)
    for model, score, method in (("a", 90.0, "full"), ("base", 80.0, BASELINE), ("b", 70.0, "full")):
        store.write(record(model=model, score=score, method=method))
    seen = view(store)
    rows = parse(page(seen)).id("scores-table").one("tbody").all("tr")
    assert [row.attributes["data-title"] for row in rows] == [row.title for row in seen.board.rows] == ["a", "base", "b"]
    assert [row.attributes.get("class") for row in rows] == [None, "baseline", None]


def test_row_of_best_baselines_is_sorted_by_score_and_links_to_their_records(tmp_path):
    store = Store(tmp_path / "results")
    for task in ("films", "songs"):
        for model, score in (("a", 90.0), ("b", 20.0)):
            store.write(record(task, model, score))
        for model, score in (("majority", 30.0), (f"of-{task}", 50.0)):
            if (task, model) != ("songs", "majority"):
                store.write(record(task, model, score, method=BASELINE))
    tree = parse(page(view(store)))
    rows = tree.id("scores-table").one("tbody").all("tr")
    titles = [row.attributes["data-title"] for row in rows]
    assert titles[:3] == ["a", "best baseline", "b"] and set(titles[3:]) == {"majority", "of-films", "of-songs"}
    cells = tree.data("scores")["cells"]
    for task in ("films", "songs"):
        link = rows[1].one("td", data_task=task).one("a")
        cell = cells[int(link.attributes["data-cell"])]
        assert cell["title"] == f"of-{task} on {task}" and cell["seeds"][0][2] == "50.00"
        assert store.record(cell["seeds"][0][-2])["model"]["name"] == f"of-{task}"
    assert "best baseline: of-films on films; of-songs on songs" in tree.id("scores").text
    names, plots = tree.data("cost")["rows"], tree.data("cost")["plots"]
    shown = [{names[point[0]][0] for point in plot["points"][1]} for plot in plots]  # by training time
    assert shown == [{"a", "b", "best baseline"}, {"a", "b", "majority", "of-films"}, {"a", "b", "of-songs"}]


def test_dot_of_a_failed_training_is_hollow(tmp_path):
    store = Store(tmp_path)
    sign = {"kind": "constant", "text": "the same prediction for every row", "cure": "", "failed": True}
    for seed, trouble in enumerate(([], [sign], [{**sign, "failed": False}])):
        store.write(record(seed=seed, score=90.0 - 20 * seed, training={"trouble": trouble}))
    tree = parse(page(view(store)))
    dots = tree.id("scores-table").one("tbody").all("circle")
    assert [dot.attributes.get("class") for dot in dots] == [None, "failed", None]  # by score: seeds 2, 1, 0
    assert "seed 1: 70.00 (its training failed)" in tree.id("scores-table").text
    assert "the same prediction for every row" in tree.id("scores").text
    assert "hollow: its training failed" in tree.id("scores").text
