"""The page as a person has it: in a real browser, with mouse and keyboard, on a desk and on a phone."""

import shutil
from pathlib import Path

import pytest
from made_curves import write_curve
from made_page import HOSTILE, folder, hostile, view
from made_records import record

from harness.report.page.render import page as made
from harness.store import Store

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[4]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The page of a small made-up folder, and of the repository's own results."""
    from harness.report.board_files import page

    place = tmp_path_factory.mktemp("page")
    (place / "small.html").write_text(made(view(folder(place / "results"))), encoding="utf-8")
    (place / "hostile.html").write_text(made(view(hostile(place / "hostile"))), encoding="utf-8")
    models = [  # a front that is steep at the left, where names have room before their marks alone
        record(
            "films", f"model-{size:02}-small", 90 - 13 * 0.8**size, model_facts={"parameters": int(4e6 * 1.22**size)}
        )
        for size in range(30)
    ]
    store = Store(place / "narrow")
    for one in models:
        store.write(one)
    (place / "narrow.html").write_text(made(view(store)), encoding="utf-8")
    curves = place / "curves.html"
    skills = {"gpt": [0.75, 0.78, 0.79, 0.80], "bert": [0.55, 0.775, 0.90, 0.93]}
    curves.write_text(page(write_curve(place / "sizes", skills, rows=200), curves, 500), encoding="utf-8")
    real = place / "real.html"
    real.write_text(page(Store(ROOT / "results"), real, 500), encoding="utf-8")
    return place


@pytest.fixture
def visit(chromium, files):
    """visit(name, …) → the page in a fresh window; at the end nothing may have been complained of or loaded."""
    contexts, said, loaded = [], [], []

    def to(name="small", width=1200, **options):
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(120_000)  # the machine may be busy
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("request", lambda request: loaded.append(request.url))
        shown.goto((files / f"{name}.html").as_uri())
        return shown

    yield to
    for context in contexts:
        context.close()
    assert said == []
    assert all(url.startswith("file:") and url.endswith(".html") for url in loaded)


def models(page):
    """Titles of the rows that are seen, in their order."""
    return page.eval_on_selector_all(
        "#scores-table tbody tr", "rows => rows.filter(r => !r.hidden).map(r => r.dataset.title)"
    )


def test_sorting_with_the_keyboard(visit):
    page = visit()
    assert models(page) == ["bert", "gpt", "small"]
    button = page.locator("#scores-table th[data-task=films] button")
    heading = page.locator("#scores-table th[data-task=films]")
    button.focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending" and models(page) == ["bert", "gpt", "small"]
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "ascending" and models(page) == ["small", "gpt", "bert"]
    page.locator("#scores-table th", has_text="parameters").locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "none" and models(page) == ["small", "bert", "gpt"]
    # The one without a score stands last both ways.
    names = page.locator("#scores-table th[data-task=names] button")
    for _ in range(2):
        names.press("Enter")
        assert models(page)[-1] == "small"
    page.get_by_role("button", name="Reset").click()
    assert models(page) == ["bert", "gpt", "small"]


def test_filters(visit):
    page = visit()
    page.get_by_label("Architecture").select_option("decoder")
    assert models(page) == ["gpt"] and page.locator("#shown").inner_text() == "1 of 3 rows"
    page.get_by_role("button", name="Reset").click()
    page.get_by_label("Million parameters at most").fill("4.4")
    assert models(page) == ["bert", "small"]
    page.get_by_role("searchbox", name="Model").fill("SMA")
    assert models(page) == ["small"]
    page.get_by_role("button", name="Reset").click()
    page.locator("#filter-tasks").select_option("family:ner")
    assert page.locator("#scores-table th[data-task=films]").is_hidden()
    assert page.locator("#scores-table td[data-task=films]:visible").count() == 0
    assert page.locator("#scores-table td[data-task=names]:visible").count() == 4  # three models, the trivial answer
    page.locator("#filter-tasks").select_option("")
    assert page.locator("#scores-table td[data-task=films]:visible").count() == 4


def test_baselines_are_one_row_until_each_is_asked_for(visit):
    page = visit("real")
    assert "best baseline" in models(page) and "tfidf-lr" not in models(page)
    page.get_by_role("button", name="Each baseline").click()
    assert {"best baseline", "tfidf-lr", "all-o", "dictionary"} <= set(models(page))
    page.get_by_role("button", name="Reset").click()
    assert "tfidf-lr" not in models(page)
    page.get_by_label("Method").select_option("baseline")
    assert "tfidf-lr" in models(page)


def test_heat_map(visit):
    page = visit()
    colour = "cell => getComputedStyle(cell).backgroundColor"
    best = page.locator("#scores-table tr[data-title=bert] td[data-task=films]")
    least = page.locator("#scores-table tr[data-title=small] td[data-task=films]")
    plain = best.evaluate(colour)
    button = page.get_by_role("button", name="Heat map")
    button.press("Space")
    assert button.get_attribute("aria-pressed") == "true"
    assert len({plain, best.evaluate(colour), least.evaluate(colour)}) == 3
    button.press("Space")
    assert best.evaluate(colour) == plain


def test_dialog_of_records(visit):
    page = visit()
    number = page.locator("#scores-table tr[data-title=bert] td[data-task=films] a")
    number.press("Enter")
    dialog = page.get_by_role("dialog", name="bert on films")
    assert dialog.is_visible()
    assert [cell.inner_text() for cell in dialog.locator("tbody tr").nth(1).locator("th, td").all()][:3] == [
        "1",
        "ok",
        "90.00",
    ]
    assert "learning_rate 3e-05" in dialog.inner_text()
    for link in dialog.locator("tbody a").all():
        path = link.evaluate("link => link.href").removeprefix("file://")
        assert Path(path).is_file()  # beside the page, where it says
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert number.evaluate("link => link === document.activeElement")
    page.locator("#scores-table tr[data-title=small] td[data-task=names] a").click()
    assert "RuntimeError: out of memory" in page.locator("#records").inner_text()
    page.get_by_role("button", name="Close").click()
    page.locator("#scores-table tr[data-title=bert] td a", has_text="4.4M").click()  # what a row's cost is made of
    tasks = [head.inner_text() for head in page.locator("#records tbody th").all()]
    assert tasks == ["films", "films", "names", "names"]
    page.mouse.click(2, 2)  # beside the dialog
    assert page.locator("#records").is_hidden()


def test_charts_and_their_tables(visit):
    page = visit()
    page.get_by_label("Score", exact=True).select_option("films")
    points = page.locator("#cost-chart g.point[tabindex='0']")
    told = [point.get_attribute("aria-label") for point in points.all()]
    assert told == [
        "small: 40.00 accuracy, 1.0M parameters, on the front", "bert: 90.00 accuracy, 4.4M parameters, on the front",
        "gpt: 87.50 accuracy, 9.0M parameters",
    ]  # fmt: skip
    places = [point.bounding_box() for point in points.all()]
    assert places[0]["x"] < places[1]["x"] < places[2]["x"] and places[1]["y"] < places[2]["y"] < places[0]["y"]
    points.nth(2).focus()
    assert page.locator("#cost-chart .readout").inner_text() == told[2]
    page.get_by_text("The same as a table").click()
    rows = page.locator("#cost-table tbody tr")
    assert rows.nth(0).inner_text().split("\t") == ["small", "encoder", "1.0M", "40.00", "yes"]
    page.locator("#cost-axis").select_option("training time of a cell")
    assert rows.last.inner_text().split("\t") == ["gpt", "decoder", "90 s", "87.50", ""]


def test_training_curves(visit):
    page = visit("real", 1600)
    page.locator("#training-task").select_option("mini-qa")
    score, loss = (page.locator(f"#training-{name} > svg") for name in ("score", "loss"))
    assert score.locator(".curve .line").count() == loss.locator(".curve .line").count() == 6  # no baselines
    assert score.locator(".curve .seed").count() == 18
    marks = score.locator("g.point[tabindex='0']")
    assert marks.count() == 18 and loss.locator("[tabindex]").count() == 0
    records = [one for one in Store(ROOT / "results").records() if one["task"]["name"] == "mini-qa"]
    one = next(one for one in records if (one["model"]["name"], one["method"], one["seed"]) == ("t5-mini", "full", 0))
    kept = next(line for line in one["training"]["history"] if line["step"] == one["training"]["best_step"])
    mark = score.get_by_role("img", name="t5-mini, seed 0:")
    told = mark.get_attribute("aria-label")
    assert f"kept step {kept['step']} of {one['training']['steps']}" in told and f"test {one['score']:.2f}" in told
    mark.focus()
    assert page.locator("#training-readout").inner_text() == told
    ticks = score.locator(".tick text[text-anchor=middle]")
    assert ticks.all_text_contents() == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
    page.locator("#training-axis").select_option("step")
    shown = [int(tick) for tick in ticks.all_text_contents()]
    left, right = (tick.bounding_box() for tick in (ticks.first, ticks.last))
    ends = [box["x"] + box["width"] / 2 for box in (left, right)]
    drawn = score.get_by_role("img", name="t5-mini, seed 0:").locator("path").bounding_box()
    share = (drawn["x"] + drawn["width"] / 2 - ends[0]) / (ends[1] - ends[0])
    assert share * shown[-1] == pytest.approx(kept["step"], abs=2)
    page.get_by_role("group", name="Models that stand out").get_by_role("button", name="gpt2-mini", exact=True).click()
    assert score.locator(".curve:not(.aside)").count() == 1 and score.locator(".point:not(.aside)").count() == 3
    page.get_by_text("The kept steps as a table").click()
    assert page.locator("#training-table tbody tr").count() == 18
    # A chart beside a chart, and below it where there is no room.
    side = [chart.bounding_box() for chart in (score, loss)]
    assert side[0]["y"] == side[1]["y"] and side[0]["x"] + side[0]["width"] <= side[1]["x"]
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.querySelector('#training-score svg').clientWidth < 390")
    side = [chart.bounding_box() for chart in (score, loss)]
    assert side[0]["x"] == side[1]["x"] and side[0]["y"] + side[0]["height"] <= side[1]["y"]


def overlapping(boxes):
    """Pairs of boxes that cover each other by more than a pixel."""
    def apart(a, b):
        return a["x"] + a["width"] <= b["x"] + 1 or a["y"] + a["height"] <= b["y"] + 1

    return [(a, b) for place, a in enumerate(boxes) for b in boxes[:place] if not apart(a, b) and not apart(b, a)]


@pytest.mark.parametrize("width", [390, 1600])
@pytest.mark.parametrize("task", range(5))
def test_labels_of_the_training_charts_do_not_touch(visit, width, task):
    page = visit("real", width)
    page.locator("#training-task").select_option(str(task))
    for name in ("score", "loss"):
        page.locator(f"#training-{name} svg").wait_for()
        texts = page.locator(f"#training-{name} svg > text, #training-{name} svg .tick text").all()
        assert len(texts) > 6 and overlapping([text.bounding_box() for text in texts]) == []


INSIDE = """cells => cells.flatMap(cell => [...cell.querySelectorAll('.value, .below, .strip')].filter(part => {
  const [a, b] = [part.getBoundingClientRect(), cell.getBoundingClientRect()];
  return a.left < b.left - 0.5 || a.right > b.right + 0.5;
}).map(part => part.textContent))"""


@pytest.mark.parametrize("width", [390, 1600])
def test_each_number_is_in_its_own_cell(visit, width):
    page = visit("real", width)
    assert page.locator("#scores-table tbody td").evaluate_all(INSIDE) == []
    page.evaluate(OPEN)
    boxes = page.locator(".box:has(> table:not(.rows))")
    for box in boxes.all():
        if not box.is_visible():
            continue
        box.evaluate("box => { box.scrollLeft = 10_000; }")
        first = box.locator("tbody th").first
        assert abs(first.bounding_box()["x"] - box.bounding_box()["x"]) <= 2  # what the row is stays in sight


def test_the_width_of_a_desk_is_used(visit):
    page = visit("real", 1600)
    assert page.locator("#scores-table").bounding_box()["width"] > 1500
    for first, second in (
        ("#overall table", "#overall svg"), ("#cost-chart", "#cost-table"), ("#tasks", "#environments"),
        ("#confusion .fields", "#confusion-table"),
    ):  # fmt: skip
        left, right = (page.locator(one).bounding_box() for one in (first, second))
        assert left["x"] + left["width"] <= right["x"] and max(left["y"], right["y"]) < min(
            left["y"] + left["height"], right["y"] + right["height"]
        ), first


def test_on_a_phone_each_row_of_the_error_browser_is_a_card(visit):
    page = visit("real", 390)
    cells = page.locator("#errors-table tbody tr").first.locator("th, td").all()
    boxes = [cell.bounding_box() for cell in cells]
    assert len({box["x"] for box in boxes}) == 1 and [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    label = "cell => getComputedStyle(cell, '::before').content"
    assert [cell.evaluate(label) for cell in cells[1:]] == ['"reference"', '"A: t5-mini"', '"B: gpt2-mini"']


def test_a_dot_for_each_seed(visit):
    page = visit("real", 1600)
    cell = page.locator("#scores-table tr[data-title=t5-mini] td[data-task=mini-qa]")
    dots = cell.locator("circle")
    records = [one for one in Store(ROOT / "results").records() if one["id"].startswith("mini-qa--t5-mini--full")]
    places = sorted(dot.bounding_box()["x"] for dot in dots.all())
    scores = sorted(one["score"] for one in records)
    assert dots.count() == len(records) == 3
    share = (places[1] - places[0]) / (places[2] - places[0])
    assert share == pytest.approx((scores[1] - scores[0]) / (scores[2] - scores[0]), abs=0.03)


@pytest.mark.parametrize("width", [390, 1200, 1600])
def test_names_in_the_chart_leave_the_axis_free(visit, width):
    page = visit("narrow", width)
    shown = page.locator("#cost-chart > svg > text[aria-hidden]")
    shown.first.wait_for()  # the chart is drawn anew when the page has its width
    names = [text.bounding_box() for text in shown.all()]
    ticks = page.locator("#cost-chart .tick text[text-anchor=end]").all()
    edge = max(box["x"] + box["width"] for box in (tick.bounding_box() for tick in ticks))
    assert names and all(name["x"] >= edge for name in names)


@pytest.mark.parametrize("script", [True, False])
def test_learning_curves_are_read_with_mouse_and_keyboard(visit, script):
    page = visit("curves", java_script_enabled=script)
    points = page.locator("#curves g.point")
    told = points.locator(".told:visible")
    assert points.count() == 8 and told.count() == 0
    points.nth(2).focus()
    assert told.all_text_contents() == [points.nth(2).get_attribute("aria-label")]
    page.keyboard.press("Tab")
    assert told.all_text_contents() == [points.nth(3).get_attribute("aria-label")]
    points.nth(6).locator("path").hover()  # what is pointed at comes before what has the focus
    assert told.all_text_contents() == [points.nth(6).get_attribute("aria-label")]
    places = [point.locator("path").bounding_box() for point in points.all()]
    assert [box["x"] for box in places[:4]] == sorted(box["x"] for box in places[:4])
    assert places[3]["y"] < places[0]["y"]  # bert, which is listed first, learns
    lines = page.locator("#curves .line")
    kinds = {line.evaluate("line => getComputedStyle(line).strokeDasharray") for line in lines.all()}
    assert len(kinds) == lines.count() == 2  # two encoders: one colour, two kinds of lines
    assert page.locator("#curves li", has_text="gpt is ahead at 100 rows").count() == 1


def test_error_browser_shows_the_right_rows(visit):
    page = visit()
    page.locator("#errors-task").select_option("films")
    page.locator("#errors-a").select_option("bert")
    page.locator("#errors-b").select_option("gpt")

    def ids(kind):
        page.locator("#errors-kind").select_option(kind)
        heads = page.locator("#errors-table tbody th").all()
        return [head.inner_text().split("\n")[0] for head in heads]

    # Of seed 0 bert is wrong in 1 and 2, gpt in 1, 7 and 8.
    assert ids("a") == ["t7", "t8"] and ids("b") == ["t2"] and ids("wrong") == ["t1"]
    assert ids("differ") == ["t2", "t7", "t8"] and len(ids("right")) == 16 and len(ids("all")) == 20
    assert "both right 16, only A 2, only B 1, both wrong 1" in page.locator("#errors-note").inner_text()
    ids("b")
    cells = [cell.inner_text() for cell in page.locator("#errors-table tbody td").all()]
    assert cells[0] == "sport" and "✗" in cells[1] and "art" in cells[1] and "✓" in cells[2] and "sport" in cells[2]
    page.locator("#errors-task").select_option("names")
    page.locator("#errors-kind").select_option("differ")
    assert page.locator("#errors-table mark").all_inner_texts() == ["O"]


def test_confusion_matrix(visit):
    page = visit()
    page.locator("#confusion-model").select_option("bert")
    lines = [line.inner_text().split() for line in page.locator("#confusion-table tbody tr").all()]
    assert lines == [["art", "14", "0", "0", "14"], ["music", "0", "11", "3", "14"], ["sport", "1", "0", "11", "12"]]


OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["small", "curves", "real"])
def test_a_phone_scrolls_down_only(visit, name, scheme):
    page = visit(name, 360, color_scheme=scheme, has_touch=True)
    page.evaluate(OPEN)
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 360
    page.locator("#scores-table tbody a").first.click()
    assert page.locator("#records").bounding_box()["width"] <= 360 and page.evaluate(wide) <= 360
    box = page.locator(".box.tall", has=page.locator("#scores-table"))
    page.keyboard.press("Escape")
    if name == "real":  # the first column stays in sight while the table scrolls in its box
        box.evaluate("box => { box.scrollLeft = 300; }")
        left = page.locator("#scores-table tbody th").first.bounding_box()["x"]
        assert abs(left - box.bounding_box()["x"]) <= 2


def test_without_javascript_the_table_is_whole(visit):
    page = visit("real", 360, java_script_enabled=False)
    scores = {cell.name.rsplit("--", 2)[0] for cell in (ROOT / "results" / "cells").iterdir()}  # seeds share one
    assert page.locator("#scores-table tr:not([data-title='best baseline']) td[data-task] a").count() == len(scores) > 30
    assert page.locator("#filters").is_hidden() and page.locator("noscript").is_visible()
    page.set_viewport_size({"width": 1200, "height": 800})
    assert page.locator("#scores-table").is_visible()


def test_no_foreign_script_runs(visit, chromium, files):
    page = chromium.new_context().new_page()
    page.goto((files / "small.html").as_uri())
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
        " const i = document.createElement('img'); i.src = 'x'; i.setAttribute('onerror', 'window.ran = 2'); document.body.append(i); }"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    page.context.close()


def test_hostile_records_are_texts(visit):
    page = visit("hostile")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.locator("#scores-table tbody td a").first.click()
    assert HOSTILE in page.locator("#records h2").inner_text()
    page.keyboard.press("Escape")
    page.locator("#errors-kind").select_option("all")
    assert HOSTILE in page.locator("#errors-table").inner_text()
    assert HOSTILE in page.locator("#confusion-table").inner_text()
    assert HOSTILE in page.locator("#cost-chart").inner_text()
    assert page.locator("img").count() == 0 and page.locator("body script:not([type])").count() == 1 and asked == []


def test_on_paper(visit):
    page = visit("real", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#filters").is_hidden() and page.locator("nav").is_hidden()
    box = page.locator(".box.tall", has=page.locator("#scores-table"))
    assert box.evaluate("box => box.scrollHeight <= box.clientHeight + 1")
