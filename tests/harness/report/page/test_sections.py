"""What single sections make of records and predictions."""

import itertools
import re
from dataclasses import replace
from importlib.resources import files

import pytest
from made_page import films, folder, view
from made_records import record
from page_parser import parse

from harness.report.page.charts import front
from harness.report.page.prediction_sections import MAX_LABELS, OTHER, confusion, errors
from harness.report.page.render import page
from harness.report.page.table_sections import STEPS, heat_steps
from harness.report.row_texts import MAX_LENGTH, answer_text, is_right
from harness.stats.over_tasks import Overall, Ranked, TaskMean
from harness.store import Store


@pytest.fixture
def store(tmp_path):
    return folder(tmp_path / "results")


def test_front():
    points = [(1.0, 50.0), (2.0, 40.0), (2.0, 60.0), (3.0, 60.0), (4.0, 59.0), (9.0, 61.0), (1.0, 49.0)]
    assert front(points) == {(1.0, 50.0), (2.0, 60.0), (9.0, 61.0)}
    assert front([]) == set()


def test_chart_has_a_point_for_each_model_with_score_and_cost(store):
    data = parse(page(view(store))).data("cost")
    assert [plot["title"] for plot in data["plots"]] == ["average of all tasks", "films", "names"]
    assert [axis["title"] for axis in data["costs"]] == ["parameters", "training time of a cell", "peak memory"]
    by_parameters = {data["rows"][point[0]][0]: point[1:] for point in data["plots"][1]["points"][0]}
    assert by_parameters == {
        "small": [1e6, 40.0, "1.0M", "40.00", 1], "bert": [4.4e6, 90.0, "4.4M", "90.00", 1],
        "gpt": [9e6, 87.5, "9.0M", "87.50", 0],
    }  # fmt: skip
    assert len(data["plots"][0]["points"][0]) == 2  # small has no average


def test_confusion_adds_up_seeds(store):
    (task,) = confusion(view(store)).data  # tags are no labels
    assert task["title"] == "films" and task["labels"] == ["art", "music", "sport"]
    bert = next(model for model in task["models"] if model["title"] == "bert")
    assert (bert["seeds"], bert["right"]) == (2, 36)
    # Rows 0, 3, … are art, 1, 4, … music, 2, 5, … sport; wrong ones are taken for the next: 1, 4 and 1 are music, 2 is sport.
    assert bert["counts"] == [[0, 0, 14], [1, 1, 11], [1, 2, 3], [2, 0, 1], [2, 2, 11]]


def test_confusion_groups_rare_labels(tmp_path):
    store = Store(tmp_path)
    made, _ = films("bert", 0, set())
    labels = [f"l{number:03}" for number in range(MAX_LABELS + 10)]
    lines = [{"id": str(n), "prediction": one, "reference": one} for n, one in enumerate(labels * 4 + labels[:MAX_LABELS])]
    store.write(made, lines)
    (task,) = confusion(view(store)).data
    assert task["labels"] == [*labels[:MAX_LABELS], OTHER]
    assert task["models"][0]["counts"][-1] == [MAX_LABELS, MAX_LABELS, 40] and sum(
        c[2] for c in task["models"][0]["counts"]
    ) == len(lines)
    assert task["models"][0]["right"] == len(lines)


def decoded(task, name):
    model = next(model for model in task["models"] if model["title"] == name)
    bits = "".join(f"{int(digit, 16):04b}" for digit in model["all"])[: task["rows"]]
    said = {one: task["texts"][number] for one, number in zip(task["ids"], model["said"], strict=True)}
    return model, bits, said


def test_error_browser_has_the_predictions_of_each_model(store):
    task, names = errors(view(store)).data
    assert task["rows"] == 20 and len(task["ids"]) == 20 and not task["tags"] and names["tags"]
    model, bits, said = decoded(task, "gpt")
    assert model["seed"] == 0 and {place for place, bit in enumerate(bits) if bit == "0"} == {1, 7, 8}
    assert model["right"] == bits  # all rows are in, in the order of the file
    assert (
        said["t1"] == "sport"
        and task["texts"][task["references"][1]] == "music"
        and task["kinds"][:2] == ["even", "odd"]
    )
    assert decoded(names, "gpt")[2] == {"n0": "B-PER O", "n1": "O O"}


def test_error_browser_is_limited_to_rows_on_which_models_disagree(store):
    task, _ = errors(view(store, rows=3)).data
    # bert errs in 1 and 2, gpt in 1, 7, 8, small in 0 to 11: one of three is alone in 0, 1 (all agree), 2, 3, …
    assert task["rows"] == 20 and len(task["ids"]) == 3 and set(task["ids"]) <= {f"t{n}" for n in range(12)} - {"t1"}
    assert decoded(task, "small")[1] == "0" * 12 + "1" * 8  # verdicts of all rows stay
    assert not errors(view(store, rows=0)).data[0]["ids"]


def test_models_with_other_test_rows_are_left_out(store):
    made, lines = films("odd", 0, set())
    store.write(made, [{**line, "id": f"x{line['id']}"} for line in lines])
    names = [model["title"] for model in errors(view(store)).data[0]["models"]]
    assert ("odd" in names) != ("bert" in names)  # whichever is first of the board decides


def test_slices_and_types(store):
    tree = parse(page(view(store)))
    even, odd = next([td.text for td in tr.all("td")] for tr in tree.id("slices").one("tbody").all("tr"))
    assert (even, odd) == ("98.00", "97.00")  # bert's mean of both seeds
    types = tree.id("types")
    assert [one.text for one in types.one("thead").all("button")] == ["modeltype", "LOCf1", "PERf1"]
    assert [td.text for td in types.one("tbody").all("tr")[0].all("td")] == ["1.000", "0.550"]


def test_gains_equal_those_of_the_board(tmp_path):
    store = Store(tmp_path)
    for seed, (full, scratch) in enumerate(((90.0, 60.0), (92.0, 66.0))):
        store.write(record(score=full, seed=seed))
        store.write(record(score=scratch, seed=seed, method="scratch"))
    (gain,) = view(store).board.gains
    (cell,) = parse(page(view(store))).id("gains").all("td")
    assert float(cell.attributes["data-v"]) == gain.mean == 28.0 and cell.text == "+28.00 ± 2.83"


def test_steps_of_the_colour_scale():
    assert heat_steps([10.0, None, 20.0, 15.0]) == [0, None, STEPS - 1, (STEPS - 1) // 2]
    assert heat_steps([5.0, 5.0]) == [None, None] and heat_steps([None]) == [None] and heat_steps([]) == []
    assert heat_steps([1.0, float("nan"), 2.0]) == [0, None, STEPS - 1]


def test_is_right_and_answer_text():
    answers = {"id": "x", "answers": {"text": ["a b", "c"], "answer_start": [1, 2]}}
    assert is_right("c ", answers) and not is_right("d", answers) and is_right("", {"answers": {"text": []}})
    assert is_right("x", ["x", "y"]) and is_right(["O"], ["O"]) and not is_right(["O"], ["B"])
    assert answer_text(answers) == "a b | c" and answer_text(["O", "B"]) == "O B" and answer_text(["a b"]) == "a b" and answer_text(3) == "3"
    assert answer_text(" a b\n") == "a b"  # who says the same says it however many blanks are around
    assert len(answer_text("x" * 1000)) == MAX_LENGTH


def luminance(colour):
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def schemes(name):
    """Custom properties of a style file: light, and dark where it says so."""
    light, dark = (files("harness.report.page") / "css" / name).read_text().split("prefers-color-scheme: dark")
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in (light, dark)]
    return [found[0], {**found[0], **found[1]}]


@pytest.mark.parametrize("dark", [0, 1])
def test_colour_steps_are_readable_and_differ_in_lightness(dark):
    colours = schemes("heat.css")[dark]
    sheet = (files("harness.report.page") / "css" / "heat.css").read_text()
    scale = [colours[f"heat-{number}"] for number in range(STEPS)]
    for number, colour in enumerate(scale):
        high = "high-ink" in re.search(rf'^\.heat \[data-heat="{number}"\].*$', sheet, re.M)[0]
        assert contrast(colour, colours["heat-high-ink" if high else "heat-low-ink"]) >= 4.5, (number, colour)
    light = [luminance(colour) for colour in scale]
    assert light == sorted(light, reverse=not dark)
    assert all(contrast(one, other) > 1.1 for one, other in itertools.pairwise(scale))


@pytest.mark.parametrize("dark", [0, 1])
def test_contrast_of_text_and_marks(dark):
    colours = schemes("base.css")[dark]
    for ink in ("ink", "soft", "accent"):
        for paper in ("paper", "raised"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for mark in ("encoder", "decoder", "both", "other"):
        assert contrast(colours[mark], colours["paper"]) >= 3
    assert contrast(colours["ink"], colours["mark"]) >= 4.5


def test_over_all_tasks_equals_the_board(store):
    def row(name, rank):
        return Ranked(name, name, "full", TaskMean(rank, 1.0, 2.0), None, TaskMean(0.5, 0.0, 1.0), "a", False)

    found = Overall(("x", "y"), (), (row("<b>", 1.25), row("gpt", 1.75)), (), None, ("two tasks only",))
    plain = view(store)
    with_ranks = replace(plain, board=replace(plain.board, overall=found))
    text = page(with_ranks)
    section = text[text.index('id="overall"') : text.index('id="cost"')]
    for said in (
        "1.25 (1.00 … 2.00)",
        "1.75 (1.00 … 2.00)",
        "0.50 (0.00 … 1.00)",
        "two tasks only",
        "<svg",
        "&lt;b&gt;",
    ):
        assert said in section
    assert "<b>" not in section
    assert section.count('<td class="number">') == 8  # below headings at the right
    assert 'id="overall"' not in page(replace(plain, board=replace(plain.board, overall=None)))


def test_slices_name_other_best_rows_and_show_precision_and_recall(tmp_path):
    slices = {"label": {"odd": {"rows": 12, "score": 50.0, "precision": 0.25, "recall": 1.0, "f1": 0.5}}}
    for model, score, ours in (("bert", 90.0, 10.0), ("gpt", 80.0, 50.0)):
        part = {"label": {"odd": {**slices["label"]["odd"], "score": ours}}}
        Store(tmp_path).write(record("films", model, score, metrics={"slices": part}), [])
    tree = parse(page(view(Store(tmp_path))))
    found = tree.id("slices")
    assert [one.text for one in found.one("thead").all("button")] == [
        "modellabel", "odd12° rows · best: gpt", "odd precision", "odd recall"
    ]  # fmt: skip
    assert [td.text for td in found.one("tbody").all("tr")[1].all("td")] == ["50.00", "25.00", "100.00"]
