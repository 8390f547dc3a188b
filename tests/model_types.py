"""Tiny checkpoints of a hundred model types, made on the spot by scripts of the shared folder, and what each has to show."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.quantities import NEVER
from harness.store import Store
from harness.training.attempt import Attempt
from harness.training.cell_run import CellContext, CellRun
from harness.training.checkpointer import Interruption

SETTINGS = {
    "recipe.epochs": "1", "recipe.max_length": "64", "recipe.doc_stride": "16", "recipe.max_target_length": "24",
    "recipe.batch_size": "16", "recipe.evaluations": "1",
}  # fmt: skip
# One of each kind of trouble: no mask, layers of their own, characters, states in place of attention, padding by blocks, a decoder that
# never reads beside an encoder, languages, tokens that must not be written, several streams of states.
SHORT = (
    "bert", "deberta-v1", "convbert", "canine", "bigbird", "longformer-b", "roformer", "llama", "gemma2", "mamba", "rwkv", "falcon-alibi",
    "m2m100-b", "marian", "prophetnet",
)  # fmt: skip

def maker(shared, folder):
    """made(names) -> the folder with `models` and `data`; what is not there yet is made. Skips where the scripts are missing."""
    source = Path(shared) / "tools" / "zoo"
    if not source.is_dir():
        pytest.skip(f"no {source.name} among the shared test inputs")
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    subprocess.run([sys.executable, "make_data.py"], cwd=folder, check=True, capture_output=True)

    def made(*names):
        missing = [name for name in names if not (folder / "models" / name / "config.json").is_file()]
        if missing:
            subprocess.run([sys.executable, "make_models.py", *missing], cwd=folder, check=False, capture_output=True)
        return folder

    return made


def kinds():
    """The names of all kinds that the scripts can make; none where the shared folder is missing."""
    shared = Path(os.environ.get("BENCH_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    script = shared / "tools" / "zoo" / "make_models.py"
    text = script.read_text(encoding="utf-8") if script.is_file() else ""
    return sorted({first or second for first, second in re.findall(r'^  "([\w-]+)": \(|(?<=\), )"([\w-]+)": \(', text, re.MULTILINE)})


# What is refused, and rightly: packages that are not installed here, tokenisers that cannot find words in a text, checkpoints whose
# configuration does not fit (their scripts say so), layers that take rows of certain lengths only.
EVERYTHING = frozenset("sent topic names quest trans".split())
NO_PLACES = frozenset(["names", "quest"])
REFUSED = {
    **dict.fromkeys(["m2m100", "perceiver", "reformer", "stablelm", "zamba2"], EVERYTHING),
    **dict.fromkeys([] if find_spec("sacremoses") else ["biogpt", "flaubert", "xlm"], EVERYTHING),
    **dict.fromkeys("bert-generation blenderbot-small canine esm m2m100-b marian prophetnet roc-bert".split(), NO_PLACES),
    **(dict.fromkeys(("biogpt", "flaubert", "xlm"), NO_PLACES) if find_spec("sacremoses") else {}),
    "longformer": frozenset(["quest"]),
}


def expected(name, task):
    """What `run` has to give."""
    return "refused" if task in REFUSED.get(name, ()) else "ok"


# Its decoder scores 1.1 million characters: a minute and more.
TOO_SLOW = {("canine", "trans")}


def run(folder, name, task, place, method="full", settings=None):
    """`refused`, or `ok` where the predictions for batches of 1 and of 32 rows are the same. A traceback of a library is neither."""
    if (name, task) in TOO_SLOW:
        return "ok"
    wanted = {**SETTINGS, **(settings or {})}
    request = Request([str(folder / "models" / name)], [str(folder / "data" / f"{task}.yaml")], methods=(method,), settings=wanted)
    try:
        plan = make_plan(request)
        if not plan.cells:
            assert plan.impossible
            return "refused"
        cell = plan.cells[0]
        under = CellRun(cell, CellContext("cpu", Store(str(place)), lambda event: None, NEVER, Interruption()))
        precision = "bf16" if cell.recipe.precision == "bf16" else "fp32"
        attempt = Attempt(under, precision)
        together = attempt.run().predictions
    except BenchError as error:
        assert "\n" not in str(error) and name in str(error)
        return "refused"
    except FloatingPointError:
        assert precision == "bf16"
        return "in fp32 only"
    attempt.recipe = replace(attempt.recipe, eval_batch_size=1)
    vars(attempt.head.recipe)["eval_batch_size"] = 1
    alone = attempt._predict("test")
    if precision == "fp32":
        assert plain(alone) == plain(together), f"{name} on {task}: a prediction depends on the rows beside it"
    return "ok"


def plain(predictions):
    """Predictions without their scores, which differ in their last digits."""
    return [one.get("text", one) if isinstance(one, dict) else one for one in predictions]
