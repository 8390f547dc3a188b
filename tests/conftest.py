"""Fixtures that many tests use."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

# In the background of a shell, or under nohup, these are ignored, and whatever the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
ROOT = Path(__file__).resolve().parent.parent
# The tests run a process a core: threads of their own would only be in each other's way. Read by torch when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test measures this machine, nor writes into the person's cache, unless that is what it tests.
os.environ.setdefault("BENCH_ESTIMATE", "false")
# Grids are counted without the baselines that a run adds; the tests of these ask for them.
os.environ.setdefault("BENCH_BASELINES", "false")
# No test reads or fills the cache of the person who runs the tests; workers have the folder from their server's environment.
_CACHE = tempfile.TemporaryDirectory(prefix="bench-cache-")
os.environ["BENCH_CACHE"] = _CACHE.name


# The same inputs in every run: what fails is a change of the code, not of luck. `--hypothesis-profile=default` tries others.
hypothesis.settings.register_profile("same", derandomize=True, database=None)
hypothesis.settings.load_profile("same")


def pytest_collection_modifyitems(items):
    """Files with slow tests first: processes that share out the files take them in this order, and a long one must not be the last."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def loud():
    """What a test makes transformers keep to itself, the next one may look for in a log."""
    yield
    if library := sys.modules.get("transformers"):
        library.utils.logging.set_verbosity_warning()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets and models that lies beside a checkout; tests that need it skip where it is missing."""
    folder = Path(os.environ.get("BENCH_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("no folder of real data beside this checkout (BENCH_SHARED names another place)")
    return folder


@pytest.fixture(scope="session")
def model_types(shared, tmp_path_factory):
    """model_types(names) -> the folder with tiny checkpoints of these kinds in `models`, and tasks in `data`; see `tests/model_types.py`."""
    from model_types import maker

    return maker(shared, tmp_path_factory.mktemp("types"))


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """checkpoints(kind) -> folder of a tiny random model of that model type, made once a session.

    `checkpoints.without_dropout(kind)`: the same with every probability of dropout at zero.
    """
    import json
    import shutil

    import tiny

    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny.make(kind, tmp_path_factory.mktemp("models") / f"tiny-{kind}")
        return made[kind]

    def without_dropout(kind: str) -> Path:
        name = f"{kind} without dropout"
        if name not in made:
            made[name] = tmp_path_factory.mktemp("models") / f"tiny-{kind}"
            shutil.copytree(folder(kind), made[name])
            config = json.loads((made[name] / "config.json").read_text())
            dropped = {key: 0.0 for key, value in config.items() if "drop" in key and isinstance(value, float)}
            (made[name] / "config.json").write_text(json.dumps(config | dropped))
        return made[name]

    folder.without_dropout = without_dropout
    return folder
