"""A suite file as a whole benchmark: the defaults of its runs."""

import json

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import BenchError
from harness.planning.option_values import Defaults, read_seeds, read_sizes
from harness.planning.request import read_request
from harness.planning.suite import load_suite

SUITE = """
name: own
models: {small: "pkg:tasks/mini/models/bert-mini"}
tasks: [mini-sentiment]
recipes: [{lr: 1.0e-3, epochs: 1}]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """write(more) -> the name of a suite file in the current folder."""
    monkeypatch.chdir(tmp_path)

    def suite(more):
        (tmp_path / "mine.yaml").write_text(SUITE + more)
        return "mine.yaml"

    return suite


def planned(*words):
    found = CliRunner().invoke(app, ["plan", "--json", *words])
    assert found.exit_code == 0, found.exception
    return json.loads(found.output)


def refused(*words):
    found = CliRunner().invoke(app, ["plan", *words])
    assert found.exit_code != 0 and isinstance(found.exception, BenchError)
    return str(found.exception)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("", Defaults()),
        ("methods: lora\nseeds: 3\ntrain_sizes: 100\nsearch: auto\n", Defaults("lora", "3", "100", ("auto",))),
        ("methods: [full, lora]\nseeds: [3]\ntrain_sizes: [all, 100]\n", Defaults("full,lora", "3,", "all,100")),
        ("search: ['lr=1e-5,3e-5', 'bs=8,16']\n", Defaults(search=("lr=1e-5,3e-5", "bs=8,16"))),
        ("search: {run: suite, grid: [{lr: [1.0e-4, 1.0e-3]}]}\n", Defaults(search=("suite",))),
        ("search: {run: lr=1e-5, grid: [{lr: [1.0e-4, 1.0e-3]}]}\n", None),
        ("search: {grid: [{lr: [1.0e-4, 1.0e-3]}]}\n", Defaults()),
    ],
)
def test_reads_values_written_as_options(write, more, wanted):
    if wanted is None:
        with pytest.raises(BenchError, match=r"mine.yaml:6: search.run lr=1e-5: one value leaves nothing to choose"):
            load_suite(write(more))
        return
    assert load_suite(write(more)).defaults == wanted


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("methods: ful\n", "mine.yaml:6: methods: unknown method 'ful'; did you mean 'full'"),
        ("methods: []\n", "mine.yaml:6: methods is empty"),
        ("seeds: many\n", "mine.yaml:6: seeds many: must be a number of seeds"),
        ("seeds: [1, 1]\n", "mine.yaml:6: seeds 1,1: must be 1 or more, or different seeds"),
        ("seeds: 0\n", "mine.yaml:6: seeds 0: must be 1 or more"),
        ("train_sizes: [100, 1]\n", "mine.yaml:6: train_sizes 100,1: must be different numbers of rows"),
        ("search: sweet\n", "mine.yaml:6: search sweet: must be FIELD=V1,V2"),
        ("search: [1]\n", "mine.yaml:6: search 1: must be FIELD=V1,V2"),
        ("search: 3\n", "mine.yaml:6: search is 3; it must be a mapping with the keys run, grid, optuna, or auto"),
        ("search: {run: suite}\n", "mine.yaml:6: search.run is suite, which is the section search.grid, and there is none"),
        ("search: {rum: auto}\n", "mine.yaml:6: search: unknown key 'rum'; did you mean 'run'"),
        ("method: full\n", "mine.yaml:6: unknown key 'method'; did you mean 'methods'"),
    ],
)
def test_faults_have_one_line_each(write, more, message):
    with pytest.raises(BenchError) as raised:
        load_suite(write(more))
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_command_line_overrides_the_suite(write):
    file = write("methods: [full, lora]\nseeds: 2\ntrain_sizes: [20, all]\nsearch: auto\n")
    told = planned("--suite", file)
    assert [(one["method"], one["seed"], one["task"].get("train_rows")) for one in told["cells"]] == [
        (method, seed, rows) for seed in (0, 1) for method in ("full", "lora") for rows in (20, None)
    ]
    assert len(told["trials"]) == 4 * 5 and {one["recipe"]["learning_rate"] for one in told["trials"][:1]} == {1e-3}
    told = planned("--suite", file, "--methods", "frozen", "--seeds", "1", "--train-sizes", "all", "--search", "lr=1e-4,1e-3")
    assert [(one["method"], one["seed"], one["task"].get("train_rows")) for one in told["cells"]] == [("frozen", 0, None)]
    assert [one["changes"] for one in told["trials"]] == [{"learning_rate": 1e-4}, {"learning_rate": 1e-3}]
    assert "trials" not in planned("--suite", file, "--search", "none")
    request = read_request(suite=file, seeds="1")
    assert request.methods == ["full", "lora"] and request.seeds == [0] and request.train_sizes == (20, None)


def test_environment_overrides_the_suite(write, monkeypatch):
    monkeypatch.setenv("BENCH_SEEDS", "3")
    monkeypatch.setenv("BENCH_SEARCH", "none")
    assert len(planned("--suite", write("seeds: 2\nsearch: auto\n"))["cells"]) == 3


def test_rejects_options_that_contradict_the_search_of_the_suite(write):
    file = write("search: auto\n")
    assert refused("--suite", file, "--set", "lr=1e-4") == (
        "mine.yaml: search auto: --set recipe.learning_rate=1e-4 fixes what is to be searched; leave it out, or add --search none"
    )
    assert planned("--suite", file, "--set", "lr=1e-4", "--search", "none")["cells"][0]["recipe"]["learning_rate"] == 1e-4


def test_baselines_ignore_the_search_of_the_suite(write):
    told = planned("--suite", write("search: auto\n"), "--models", "majority")
    assert [one["method"] for one in told["cells"]] == ["baseline"] and told["trials"] == []


def test_option_readers():
    assert read_seeds("3") == [0, 1, 2] and read_seeds("3,") == [3] and read_sizes("all,100") == (100, None)
    with pytest.raises(BenchError, match="--seeds : must be 1 or more"):
        read_seeds("")


def test_board_tells_how_to_run_a_suite_again(write, tmp_path):
    file = write("seeds: 2\ntrain_sizes: [20, 40]\nmethods: [full, scratch]\n")
    done = CliRunner().invoke(app, ["run", "--suite", file, "--limit", "40", "--engine", "inline"])
    assert done.exit_code == 0, done.output
    assert "over which the command line wins: --methods full,scratch --seeds 2 --train-sizes 20,40" in done.output
    board = (tmp_path / "bench-results" / "leaderboard.md").read_text()
    again = "bench run --suite mine.yaml --models small --tasks mini-sentiment --methods full,scratch --seeds 2 --limit 40"
    assert f"{again} --train-sizes 20,all\n" in board  # 40 rows are all
    told = planned(*again.split()[2:], "--train-sizes", "20,all")
    assert len(told["cells"]) == 8 and all(one["finished"] for one in told["cells"])
