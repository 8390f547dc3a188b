"""From a request to cells: references of every kind, early errors, and a light parent process."""

import json
import subprocess
import sys

import pytest

from harness.errors import BenchError
from harness.planning.plan import cannot, make_plan
from harness.planning.request import Request

SENTIMENT = "family: sentiment\ndata: {format: csv, files: reviews.csv}\n"
SUITE = """
name: mine
models: {{b: {bert}, g: {gpt2}, t: {t5}}}
tasks:
  - {{name: reviews, family: sentiment, data: {{format: csv, files: reviews.csv}}}}
  - {{name: more, family: sentiment, data: {{format: csv, files: reviews.csv}}, version: 2}}
  - names.yaml
recipes:
  - {{epochs: 1}}
  - {{when: {{task: more, architecture: decoder}}, epochs: 4}}
"""


@pytest.fixture
def suite(tmp_path, checkpoints, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f'"text {number}",{"good" if number % 2 else "bad"}' for number in range(20))
    (tmp_path / "reviews.csv").write_text("review,label\n".replace("review", "text") + rows)
    (tmp_path / "names.conll").write_text("Anna B-PER\nsleeps O\n\n" * 10)
    (tmp_path / "names.yaml").write_text("family: ner\ndata: {format: conll, files: names.conll}\n")
    folders = {kind: checkpoints(kind) for kind in ("bert", "gpt2", "t5")}
    (tmp_path / "mine.yaml").write_text(SUITE.format(**folders))
    return "mine.yaml"


def titles(plan):
    return [(cell.task.title, cell.model.name, cell.method, cell.seed) for cell in plan.cells]


def test_all_means_every_model_and_task_of_the_suite(suite):
    plan = make_plan(Request(["all"], ["all"], suite=suite, seeds=[0, 1]))
    assert len(plan.cells) == len({cell.id for cell in plan.cells}) == 18
    assert titles(plan)[0] == ("reviews", "b", "full", 0)
    assert [seed for *_, seed in titles(plan)] == [0] * 9 + [1] * 9


def test_folder_beside_a_suite_is_not_a_registered_model(suite, tmp_path, checkpoints):
    (tmp_path / "bert").symlink_to(checkpoints("bert"))  # the zoo has a model of that name
    content = (tmp_path / suite).read_text()
    (tmp_path / suite).write_text(content.replace(f"b: {checkpoints('bert')}", "b: ./bert"))
    [cell] = make_plan(Request(["b"], ["reviews"], suite=suite)).cells
    assert cell.model.name == "b" and cell.model.location == str(checkpoints("bert"))


def test_tasks_by_name_family_file_and_path(suite, tmp_path):
    (tmp_path / "topics.csv").write_text((tmp_path / "reviews.csv").read_text())
    plan = make_plan(Request(["b"], ["sentiment", "names.yaml", "text-classification:topics.csv"], suite=suite))
    assert [(cell.task.name, cell.task.family) for cell in plan.cells] == [
        ("reviews", "sentiment"),
        ("more", "sentiment"),
        ("names", "ner"),
        ("topics", "text-classification"),
    ]


def test_the_same_cell_is_planned_once(suite):
    assert len(make_plan(Request(["b", "b"], ["reviews", "reviews", "sentiment"], suite=suite)).cells) == 2


def test_settings_override_the_rules_of_recipes(suite):
    plan = make_plan(Request(["b", "g"], ["more"], suite=suite))
    assert [cell.recipe.epochs for cell in plan.cells] == [1, 4]
    plan = make_plan(Request(["b", "g"], ["more"], suite=suite, settings={"recipe.epochs": "7"}))
    assert [cell.recipe.epochs for cell in plan.cells] == [7, 7]


def test_rejects_a_setting_that_no_method_reads(suite):
    plain = make_plan(Request(["b"], ["more"], suite=suite, methods=["full", "lora"]))
    request = Request(["b"], ["more"], suite=suite, methods=["full", "lora"], settings={"recipe.lora_rank": "4"})
    changed = make_plan(request)
    assert [one.id == other.id for one, other in zip(plain.cells, changed.cells, strict=True)] == [True, False]
    rate = make_plan(Request(["b"], ["more"], suite=suite, methods=["lora"], settings={"recipe.learning_rate": "7e-4"}))
    assert rate.cells[0].recipe.learning_rate == 7e-4  # as it is said, not multiplied


def test_title_of_a_limited_task(suite):
    (cell,) = make_plan(Request(["b"], ["reviews"], suite=suite, limit=10)).cells
    assert cell.task.title == "reviews@10" and cell.id.startswith("reviews@10--")
    assert cell.id != make_plan(Request(["b"], ["reviews"], suite=suite)).cells[0].id


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"models": ["bb"]}, "unknown model 'bb'"),
        ({"tasks": ["review"]}, "unknown task 'review'; did you mean 'reviews'"),
        ({"tasks": ["sentimen:reviews.csv"]}, "unknown task family 'sentimen'; did you mean 'sentiment'"),
        ({"tasks": ["sentiment:none.csv"]}, "sentiment:none.csv: no such file"),
        ({"tasks": ["sentiment:names.conll"]}, "'.conll' stands for conll, where there is no text or label"),
        ({"tasks": ["sentiment:odd.csv"]}, "no column looks like the text .* say which one it is: --column text=NAME --column label=NAME"),
        ({"tasks": ["other.yaml"]}, "other.yaml: No such file"),
        ({"methods": ["ful"]}, "unknown method 'ful'; did you mean 'full'"),
        ({"methods": ["linear"]}, "unknown method 'linear'; valid: full, lora, frozen, scratch"),
        ({"settings": {"recipe.lora_rank": "4"}}, "--set recipe.lora_rank=4: only method lora reads it"),
        ({"settings": {"recipe.epoch": "1"}}, "unknown recipe field 'epoch'; did you mean 'epochs'"),
        ({"settings": {"epoch": "1"}}, "--set epoch=1: unknown recipe field 'epoch'; did you mean 'epochs'"),
        ({"settings": {"lrr": "1"}}, "--set lrr=1: unknown recipe field 'lrr'; did you mean 'lr'"),
        ({"settings": {"lr": "1", "recipe.learning_rate": "2"}}, "learning_rate is also set to 1; leave one of the two out"),
        ({"suite": "min"}, "unknown suite 'min'; did you mean 'mini'"),
        ({"suite": "none.yaml"}, "none.yaml: No such file"),
        ({"tasks": ["reviews", "sentiment:copy/reviews.csv"]}, "two different tasks are called 'reviews'"),
    ],
)
def test_rejects_wrong_requests(suite, tmp_path, request_, words):
    (tmp_path / "copy").mkdir()
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    (tmp_path / "copy/reviews.csv").write_text((tmp_path / "reviews.csv").read_text() + "\nnew,good")
    with pytest.raises(BenchError, match=words) as error:
        make_plan(Request(**{"models": ["b"], "tasks": ["all"], "suite": suite, **request_}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("family: ner\n", "the key 'data' is missing"),
        ("famly: ner\n", "unknown key 'famly'; did you mean 'family'"),
        ("family: ner\ndata: x.csv\n", "data is .x.csv.; it must be a mapping"),
        ("family: ner\ndata: {files: x.csv}\n", "data needs format"),
        ("- a\n", "must be a mapping of keys to values, not a list"),
        ("a: [\n", "not valid YAML"),
        (
            "family: ner\nversion: new\ndata: {format: csv, files: reviews.csv}\n",
            "wrong.yaml:2: version is .new.; it must be a whole number",
        ),
        ("family: nr\ndata: {}\n", "wrong.yaml:1: family: unknown task family 'nr'; did you mean 'ner'"),
        (f"{SENTIMENT}columns: text\n", "wrong.yaml:3: columns is 'text'; it must be a mapping"),
        (
            f"{SENTIMENT}columns: {{txt: text}}\n",
            "wrong.yaml:3: columns: unknown column of family sentiment 'txt'; did you mean",
        ),
        (f"{SENTIMENT}columns: {{text: 1.5}}\n", "wrong.yaml:3: columns.text: YAML reads 1.5 as a number; .*a column is a name, an index"),
        (f"{SENTIMENT}options: [a]\n", "wrong.yaml:3: options is a list; it must be a mapping"),
        (f"{SENTIMENT}labels: good\n", "wrong.yaml:3: labels is 'good'; it must be a mapping of raw label"),
        (f"{SENTIMENT}labels: {{no: bad, yes: good}}\n", "wrong.yaml:3: labels.no: YAML reads no as false; write .no. in quotes"),
        (f"{SENTIMENT}labels: [no, yes]\n", "wrong.yaml:3: labels 1: YAML reads no as false"),
        ("!!python/object/apply:os.system ['true']\n", "wrong.yaml:1: the type .*python.* is not known"),
    ],
)
def test_rejects_wrong_task_files(suite, tmp_path, text, words):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(BenchError, match=words):
        make_plan(Request(["b"], ["wrong.yaml"], suite=suite))


def test_names_what_a_model_cannot_do(suite):
    from dataclasses import replace

    plan = make_plan(Request(["b"], ["names.yaml", "reviews"], suite=suite))
    names, reviews = plan.cells[0].task, plan.cells[1].task
    marian = replace(plan.cells[0].model, name="marian", families=("translation",))
    assert "marian is registered for translation only, not for names (ner)" in cannot(marian, names)
    slow = replace(plan.cells[0].model, name="slow", fast_tokenizer=False)
    assert "slow has no fast tokeniser, which ner (names) needs" in cannot(slow, names)
    assert cannot(slow, reviews) is None


def test_parent_process_never_imports_torch(suite, tmp_path):
    """Planning and listing finished cells load none of the slow libraries."""
    code = (
        "import sys; sys.argv = ['bench', 'plan', '--suite', 'mine.yaml', '--json']\n"
        "from harness.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'evaluate', 'sklearn', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["cells"]) == 9


def test_reference_of_a_task_names_its_suite(tmp_path, checkpoints):
    """A suite's own `sst2` is not the registered one: without the suite, the name would mean the Hub's."""
    (tmp_path / "a.csv").write_text("text,label\n" + "good,1\nbad,0\n" * 10)
    data = "data: {format: csv, files: a.csv}"
    tasks = f"[{{name: sst2, family: sentiment, {data}}}, mini-ner]"
    (tmp_path / "s.yaml").write_text(f"name: s\nmodels: [{checkpoints('bert')}]\ntasks: {tasks}\n")
    plan = make_plan(Request(["all"], ["all"], suite=str(tmp_path / "s.yaml")))
    assert plan.references == {"sst2": f"sst2 --suite {tmp_path / 's.yaml'}", "mini-ner": "mini-ner"}


def test_reads_each_model_and_data_set_once(suite, monkeypatch):
    """What does not depend on the seed is found out for the first one."""
    from harness.data.source import FileSource
    from harness.models import resolve
    from harness.planning import plan as module

    called = {"digest": 0, "fingerprint": 0, "read": 0, "rules": 0}

    def counting(name, function):
        def call(*given):
            called[name] += 1
            return function(*given)

        return call

    monkeypatch.setattr(resolve, "digest", counting("digest", resolve.digest))
    monkeypatch.setattr(FileSource, "fingerprint", counting("fingerprint", FileSource.fingerprint))
    monkeypatch.setattr(FileSource, "read", counting("read", FileSource.read))
    monkeypatch.setattr(module, "apply_rules", counting("rules", module.apply_rules))
    plan = make_plan(Request(["all"], ["all"], suite=suite, methods=["full", "scratch"], seeds=range(112)))
    assert len({cell.id for cell in plan.cells}) == 2016
    assert called == {"digest": 3, "fingerprint": 3, "read": 3, "rules": 18}
    assert [cell.seed for cell in plan.cells] == [seed for seed in range(112) for _ in range(18)]
