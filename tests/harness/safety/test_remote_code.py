"""Python code of a model's repository: run where the person allows it and the model needs it, else never."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import hostile
import local_hub
import made_records
import pytest
import toy
from rich.console import Console
from transformers import AutoModelForMaskedLM
from typer.testing import CliRunner

from harness import registry
from harness.cache.encoded import CachedEncoder
from harness.cli.main import app
from harness.engines.base import Job
from harness.engines.grid import Observer, run_grid
from harness.engines.local import LocalEngine
from harness.errors import BenchError
from harness.heads.make import make_head
from harness.methods import METHODS
from harness.model import Checkpoint, Model
from harness.models.hub_checkpoints import fetch_checkpoint
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.report.board import Board
from harness.report.markdown import render
from harness.report.record_view import show
from harness.store import Store
from harness.training.worker import run_cell

NEEDS = "needs Python code from its repository"


class Silent(Observer):
    """An observer that tells nothing."""


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "was-run"


@pytest.fixture
def mystery(checkpoints, tmp_path, marker):
    """A folder that cannot be loaded without its code."""
    return hostile.with_code(checkpoints("bert"), tmp_path / "mystery", marker)


@pytest.fixture
def known(checkpoints, tmp_path, marker):
    """A folder with code that is not needed: transformers has classes for its type."""
    return hostile.with_code(checkpoints("bert"), tmp_path / "known", marker, "bert")


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    """Where the library copies code to before it runs it."""
    for module in ("transformers.utils.hub", "transformers.dynamic_module_utils"):
        monkeypatch.setattr(f"{module}.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", list(sys.path))


def bench(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "HF_HOME": str(folder / "hf"), **environment},
    )  # fmt: skip


def test_without_the_option_it_is_one_line_and_nothing_runs(mystery, marker, monkeypatch):
    for architecture in (None, "encoder"):  # a registered entry must not open another way in
        monkeypatch.setattr(
            "harness.models.resolve.registered",
            lambda reference, aliases, own=architecture: Model(str(mystery), str(mystery), own),
        )
        with pytest.raises(BenchError, match=NEEDS) as found:
            resolve(str(mystery))
        line = str(found.value)
        assert "\n" not in line and "'mystery'" in line and "modeling_mystery.py" in line
        assert "--trust-remote-code" in line and "read it" in line
    assert not marker.exists()


@pytest.mark.parametrize("trusted", [False, True])
def test_code_that_is_not_needed_is_not_run_even_where_it_is_allowed(known, marker, trusted):
    checkpoint = resolve(str(known), trust_remote_code=trusted)
    assert not checkpoint.remote_code and "remote_code" not in checkpoint.facts()
    pretrained = Pretrained(checkpoint, METHODS["full"])
    hostile.change(known / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "modeling_mystery.X"]})
    assert pretrained.tokenizer("the cat")["input_ids"]
    model = pretrained.load(AutoModelForMaskedLM)
    assert type(model).__module__.startswith("transformers.models.bert") and not marker.exists()


def test_the_option_changes_no_id_but_of_models_that_run_code(known, checkpoints, mystery):
    for folder in (known, checkpoints("bert")):
        assert resolve(str(folder), trust_remote_code=True) == resolve(str(folder))
    plain = resolve(str(checkpoints("bert")))
    assert plain.identity() == [plain.digest, None, "encoder"]
    first = resolve(str(mystery), trust_remote_code=True)
    assert first.identity()[3] == {"remote_code": first.remote_code} and len(first.remote_code) == 64
    (mystery / "modeling_mystery.py").write_text("# other code\n" + (mystery / "modeling_mystery.py").read_text())
    second = resolve(str(mystery), trust_remote_code=True)
    assert second.digest == first.digest and second.identity() != first.identity()
    assert pickle.loads(pickle.dumps(second)) == second  # as it travels to a worker


def test_with_the_option_the_code_runs_and_the_record_says_so(mystery, marker, tmp_path):
    cell = toy.cell(mystery, epochs=1, trust_remote_code=True)
    assert not marker.exists(), "resolving runs nothing"
    store = Store(tmp_path / "results")
    record = run_cell(cell, "cpu", store, lambda event: None)
    assert marker.exists() and record["status"] == "ok"
    assert record["model"]["remote_code"] is True and record["model"]["architecture"] == "encoder"
    assert store.record(cell.id)["model"]["code"] == cell.model.remote_code
    scratch = run_cell(
        toy.cell(mystery, epochs=1, method="scratch", trust_remote_code=True), "cpu", store, lambda event: None
    )
    assert scratch["status"] == "ok"


def test_a_worker_gets_the_permission_with_the_cell(mystery, marker, tmp_path):
    cell = toy.cell(mystery, epochs=1, trust_remote_code=True)
    [record] = run_grid(LocalEngine("cpu", jobs=1), [Job(cell, str(tmp_path / "results"))], Silent())
    assert record["status"] == "ok", record["error"]
    assert marker.exists() and record["model"]["remote_code"] is True


@pytest.mark.parametrize(
    "reference",
    ["someone/else--modeling_mystery.MysteryModel", "../outside.X", "/tmp/outside.X", "sub/file.X", "a.b.C", "X", ""],
)
def test_code_from_elsewhere_is_refused_even_where_code_is_allowed(mystery, marker, reference):
    auto_map = {**hostile.AUTO_MAP, "AutoModel": reference}
    hostile.change(mystery / "config.json", auto_map=auto_map)
    with pytest.raises(BenchError, match="names code outside of its own folder"):
        resolve(str(mystery), trust_remote_code=True)
    hostile.change(mystery / "config.json", auto_map=hostile.AUTO_MAP)
    hostile.change(mystery / "tokenizer_config.json", auto_map={"AutoTokenizer": [reference, None]})
    with pytest.raises(BenchError, match="names code outside of its own folder"):
        resolve(str(mystery), trust_remote_code=True)
    assert not marker.exists()


def test_code_that_is_named_but_not_there_is_one_line(mystery):
    (mystery / "modeling_mystery.py").unlink()
    with pytest.raises(BenchError, match=r"names 'modeling_mystery\.\w+', but there is no modeling_mystery\.py"):
        resolve(str(mystery), trust_remote_code=True)


@pytest.mark.parametrize(
    "values",
    [
        {"attn_implementation": "someone/kernel"},
        {"_attn_implementation": "someone/kernel@v1:forward"},
        {"text_config": {"attn_implementation": {"": "sdpa", "text": "someone/kernel"}}},
        {"experts_implementation": "someone/kernel"},
    ],
)
def test_kernels_of_the_hub_are_code_too(checkpoints, tmp_path, values):
    folder = shutil.copytree(checkpoints("bert"), tmp_path / "m")
    hostile.change(folder / "config.json", **values)
    for trusted in (False, True):
        with pytest.raises(BenchError, match=r"asks for code from the Hub, the kernel 'someone/kernel"):
            resolve(str(folder), trust_remote_code=trusted)
    hostile.change(folder / "config.json", **dict.fromkeys(values, "sdpa"))
    assert resolve(str(folder))


def test_every_command_has_the_option(mystery, tmp_path, marker, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--models", str(mystery), "--tasks", "mini-sentiment"]
    for command in ("run", "plan", "fetch"):
        found = CliRunner().invoke(app, [command, *words])
        assert isinstance(found.exception, BenchError) and NEEDS in str(found.exception), command
    for options, environment in ((["--trust-remote-code"], {}), ([], {"BENCH_TRUST_REMOTE_CODE": "1"})):
        done = CliRunner().invoke(app, ["plan", *words, *options, "--json"], env=environment)
        assert done.exit_code == 0, done.exception
        assert json.loads(done.stdout)["cells"][0]["model"]
    assert not marker.exists(), "a plan runs no code"


@pytest.mark.slow
def test_from_the_command_line_to_the_board(mystery, known, marker, tmp_path):
    words = [
        "run",
        "--models",
        f"{mystery},{known}",
        "--tasks",
        "mini-sentiment",
        "--limit",
        "20",
        "--set",
        "recipe.epochs=1",
    ]
    refused = bench(tmp_path, *words)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and NEEDS in refused.stderr
    assert not marker.exists()
    done = bench(tmp_path, *words, "--trust-remote-code")
    assert done.returncode == 0, done.stdout + done.stderr
    assert marker.exists() and "◊ ran Python code from the model's own repository" in done.stdout
    found = [json.loads(path.read_text()) for path in tmp_path.glob("bench-results/cells/*/record.json")]
    assert {record["model"]["name"]: record["model"].get("remote_code") for record in found} == {
        "mystery": True,
        "known": None,
    }
    board = (tmp_path / "bench-results/leaderboard.md").read_text()
    assert any("◊" in line for line in board.splitlines() if line.startswith("| mystery"))
    assert not any("◊" in line for line in board.splitlines() if line.startswith("| known"))
    assert "--trust-remote-code" in board.partition("How to reproduce")[2]


def test_the_board_marks_it_with_a_legend_and_keeps_other_code_apart():
    ran = {"remote_code": True, "code": "c1"}
    records = [made_records.record(model="plain"), made_records.record(model="own", model_facts=ran)]
    text = render(Board.of(records))
    assert "- ◊ ran Python code from the model's own repository" in text
    marked = [line for line in text.splitlines() if line.startswith("|") and "◊" in line]
    assert marked and all(line.startswith("| own ") for line in marked)
    assert "◊" not in render(Board.of(records[:1]))
    other = made_records.record(model="own", seed=1, model_facts={**ran, "code": "c2"})
    assert {row.title for row in Board.of([*records, other]).rows} == {"plain", "own (code c1)", "own (code c2)"}
    console = Console(record=True, width=120)
    console.print(show(records[1]))
    assert "Python code from the model's own repository was run" in console.export_text()


def test_what_is_asked_of_the_hub_and_what_is_cached(mystery, monkeypatch):
    """Python files are fetched for models that run them, whose token ids are not shared: nobody knows what decides them."""
    asked = []
    monkeypatch.setattr("harness.models.hub_checkpoints._snapshot", lambda *words: asked.append(words[2]) or (mystery, set()))
    plain = Checkpoint("m", "a/m", "a/m", "c" * 40, None, "encoder", "c" * 40)
    for checkpoint in (plain, replace(plain, remote_code="c" * 40)):
        assert fetch_checkpoint(checkpoint) == mystery
    assert ["*.py" in patterns for patterns in asked] == [False, True]
    for trusted in (False, True):
        hostile.change(mystery / "config.json", model_type="mystery" if trusted else "bert")
        cell = toy.cell(mystery, trust_remote_code=trusted)
        encoder = CachedEncoder(make_head(cell, registry.family("sentiment"), ["good", "bad"]))
        assert (encoder.folder is None) == trusted


@pytest.mark.slow
def test_a_repository_of_the_hub(shared, checkpoints, tmp_path, marker):
    """Without the option its code is not even fetched; with it, it is fetched and run at the recorded commit."""
    hostile.with_code(checkpoints("bert"), tmp_path / "root" / "models" / "someone" / "mystery" / "main", marker)
    words = ["--models", "someone/mystery", "--tasks", "mini-sentiment", "--limit", "20"]
    with local_hub.listen(shared / "tools", tmp_path / "root", tmp_path / "home") as environment:
        environment = {name: value for name, value in environment.items() if name != "HF_HOME"} | {
            "HF_HOME": str(tmp_path / "home")
        }
        for command in ("plan", "run", "fetch"):
            refused = bench(tmp_path, command, *words, **environment)
            assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and NEEDS in refused.stderr, (
                refused.stderr
            )
        assert not list((tmp_path / "home").rglob("*.py")) and not marker.exists()
        fetched = bench(tmp_path, "fetch", *words, "--trust-remote-code", **environment)
        assert fetched.returncode == 0, fetched.stderr
        assert list((tmp_path / "home").rglob("modeling_mystery.py")) and not marker.exists()
    environment |= {"HF_HUB_OFFLINE": "1"}
    done = bench(tmp_path, "run", *words, "--set", "recipe.epochs=1", "--trust-remote-code", **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    [record] = [json.loads(path.read_text()) for path in tmp_path.glob("bench-results/cells/*/record.json")]
    assert marker.exists() and record["model"]["remote_code"] is True
    assert record["model"]["code"] == record["model"]["revision"] and len(record["model"]["code"]) == 40
