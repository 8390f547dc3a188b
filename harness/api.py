"""The Python API: each command of `bench` as one call. `docs/python.md` shows it in use.

Errors that the user can fix raise `harness.BenchError` with a one-line message. Progress is printed as a live display in
a terminal, as plain lines in a notebook or log, and not at all with `progress=False`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.model import Model
from harness.planning.arguments import check_integer, check_path, with_commas
from harness.planning.request import Numbers, References, read_references, read_request, read_search
from harness.results import RESULTS, Comparison, Recommendation, Results, load_results

if TYPE_CHECKING:
    import pandas
    from rich.console import Console

    from harness.checked_task import CheckedTask
    from harness.plan_report import PlanReport

# The arguments, besides models and tasks, that say what is trained.
REQUEST = [name for name in signature(read_request).parameters if name not in ("models", "tasks")]
# Options of the command line whose argument has another name in Python.
ARGUMENTS = {"set": "settings", "column": "columns", "task": "tasks"}


@contextmanager
def argument_names() -> Iterator[None]:
    """Let errors begin with the name of an argument, not of an option: `seeds 0: …` instead of `--seeds 0: …`."""
    try:
        yield
    except BenchError as error:
        message = re.sub(r"^--([a-z-]+)", _argument_name, str(error), flags=re.MULTILINE)
        error.args = (message, *error.args[1:])
        raise


def _argument_name(option: re.Match[str]) -> str:
    return ARGUMENTS.get(option[1], option[1].replace("-", "_"))


@argument_names()
def run(
    models: References = "all",
    tasks: References = "all",
    *,
    suite: str | PathLike[str] | None = None,
    methods: str | Sequence[str] | None = None,
    seeds: Numbers = None,
    columns: Mapping[str, Any] | Iterable[str] | None = None,
    limit: int | None = None,
    train_sizes: Numbers = None,
    settings: Mapping[str, Any] | Iterable[str] | None = None,
    search: str | Mapping[str, Sequence[Any]] | Iterable[str] | None = None,
    trust_remote_code: bool = False,
    keep_head: bool = False,
    baselines: bool = True,
    results: str | PathLike[str] = RESULTS,
    progress: bool = True,
    **execution: Any,
) -> Results:
    """Fine-tune every model on every task and rank them, as `bench run` does. Finished cells are not run again.

    Args:
        models: names, Hub ids, folders, `harness.Model`; one or a list, or `all` of the suite.
        tasks: names, families, task files, `family:path`, `harness.Task`; one or a list, or `all` of the suite.
        suite: its name or YAML file; default: mini for its own tasks, none for any other task.
        methods: some of `full`, `lora`, `frozen`, `scratch`; default: the suite's, or `full`.
        seeds: how many (3 means 0, 1, 2), or a list of seeds; default: the suite's, or 1.
        columns: for tasks given as `family:path`: the family's column → the data's column.
        limit: use at most this many rows of every split.
        train_sizes: for learning curves: numbers of training rows, and `"all"`.
        settings: recipe field → value, such as `{"lr": 3e-5}`.
        search: choose recipes on validation: `"auto"`, `{"lr": [1e-5, 3e-5]}`, `"optuna:20"`, `"suite"`.
        trust_remote_code: run Python code from the repositories of models that cannot be loaded without it.
        keep_head: start from the heads of fine-tuned models.
        baselines: also run the baselines of each task.
        results: a folder or URL.
        progress: whether to print progress.
        execution: how cells run, described in `help("harness.running.Execution")`: `engine`, `devices`, `jobs`,
            `devices_per_cell`, `shard`, `checkpoint_every`, `timeout`, `retries`, `fail_fast`, `rerun_failed`, `address`,
            `estimate`.

    Returns:
        The results of these cells. A failed cell raises no exception: see `Results.failed`.

    Raises:
        BenchError: the request is wrong, the results cannot be written, or the disk is full.
        KeyboardInterrupt: the run was interrupted; the same call goes on from there.

    Example:
        >>> results = run("bert-mini", "mini-sentiment", limit=40, settings={"epochs": 1}, progress=False, results="tmp")
        >>> results.frame()[["model", "status"]].values.tolist()[-1]
        ['bert-mini', 'ok']
    """
    from harness.engines.grid import DiskFull
    from harness.run_output import print_end
    from harness.running import Execution, execute

    _check_names("run", execution, Execution.__dataclass_fields__, "of how cells run")
    how = Execution(**{name: _option_value(name, value) for name, value in execution.items()})
    how.check()
    request = read_request(
        models, tasks, suite=suite, methods=methods, seeds=seeds, columns=columns, limit=limit, train_sizes=train_sizes, settings=settings,
        trust_remote_code=trust_remote_code, keep_head=keep_head, baselines=baselines,
    )  # fmt: skip
    place, console = check_path("results", results), _console(progress)
    try:
        grid = execute(request, read_search(search, request), place, how, console)
    except DiskFull as error:
        raise BenchError(f"{error}; finished cells are kept in {place}: make room, then make the same call again") from None
    print_end(grid, grid.records(), console, 'run(…, search="auto")')
    return Results(grid.store, [cell.id for cell in grid.every])


@argument_names()
def plan(
    models: References = "all",
    tasks: References = "all",
    *,
    search: str | Mapping[str, Sequence[Any]] | Iterable[str] | None = None,
    results: str | PathLike[str] = RESULTS,
    devices: str = "auto",
    jobs: int | None = None,
    estimate: bool = True,
    progress: bool = True,
    **request: Any,
) -> PlanReport:
    """Return what a run would do and how long it would take, as `bench plan` shows it. Trains nothing.

    Args:
        estimate: whether to estimate time and memory; the first time, this machine is measured for some seconds.
        request: any other argument of `run` that says what is trained, such as `seeds`, `methods` or `settings`.

    Raises:
        BenchError: the request is wrong.

    Example:
        >>> plan("bert-mini", "mini-ner", seeds=2, estimate=False, results="nowhere").frame()["seed"].tolist()
        [0, 0, 0, 1, 1, 1]
    """
    from harness.plan_report import report_plan
    from harness.run_output import print_line

    _check_names("plan", request, REQUEST, "of what is trained")
    what = read_request(models, tasks, **request)
    jobs = None if jobs is None else check_integer("--jobs", jobs, 1)
    place, console = check_path("results", results), _console(progress)
    search = read_search(search, what)
    return report_plan(
        what, search, place, with_commas(devices), jobs, estimate, lambda line: print_line(console, line)
    )


@argument_names()
def compare(
    ours: str | Model,
    theirs: str | Model,
    results: str | PathLike[str] | Results = RESULTS,
    tasks: str | Sequence[str] = (),
) -> Comparison:
    """Compare two models on the same test rows; see `Results.compare`.

    Example:
        >>> compare("bert-mini", "gpt2-mini", "results", "mini-ner").frame()["better"].tolist()
        ['bert-mini']
    """
    return load_results(results).compare(ours, theirs, tasks)


@argument_names()
def recommend(results: str | PathLike[str] | Results = RESULTS, **limits: Any) -> Recommendation:
    """Recommend a model to fine-tune under limits; see `Results.recommend`.

    Example:
        >>> recommend("results", max_parameters="2M").model
        't5-mini'
    """
    return load_results(results).recommend(**limits)


@argument_names()
def check_task(
    tasks: References,
    *,
    model: str | None = None,
    max_length: int | None = None,
    columns: Mapping[str, Any] | Iterable[str] | None = None,
    suite: str | PathLike[str] | None = None,
    limit: int | None = None,
) -> list[CheckedTask]:
    """Check what is in the data of tasks and what is wrong with them, as `bench task check` does. Trains nothing.

    Args:
        tasks: as for `run`.
        model: also count its tokens, and the rows that it must cut.
        max_length: tokens, instead of the recipe's.

    Raises:
        BenchError: there is no such task or model. Data that cannot be trained on raise nothing: they are findings.

    Example:
        >>> (checked,) = check_task("mini-sentiment")
        >>> checked.errors, checked.report.rows["train"] > 0
        ([], True)
    """
    from harness.checked_task import check_tasks

    suite = None if suite is None else check_path("suite", suite)
    return check_tasks(read_references(tasks, "tasks"), model, max_length, columns, suite, limit)


@argument_names()
def new_task(
    data: str | PathLike[str],
    *,
    family: str | None = None,
    output: str | PathLike[str] | None = None,
    columns: Mapping[str, Any] | Iterable[str] | None = None,
    force: bool = False,
) -> tuple[Path, str]:
    """Write a task file from a data file or folder, or as a template, as `bench task new` does.

    Args:
        data: a file, folder or pattern; or a name, for a template.
        family: default: guessed from the data.
        output: the file to write; default: NAME.yaml in the current folder.
        columns: the family's column → the data's column.
        force: overwrite an existing file.

    Returns:
        The file, and what is left to do in it.

    Raises:
        BenchError: there are no such data, they can be read in several ways, or the file exists already.
    """
    from harness.scaffold.new import write_task_file

    output = None if output is None else Path(output)
    return write_task_file(check_path("data", data), family, output, columns or {}, force)


@argument_names()
def fetch(
    models: References = "all", tasks: References = "all", progress: bool = True, **request: Any
) -> dict[str, Any]:
    """Download what a run needs from the Hub into the cache, as `bench fetch` does.

    Args:
        request: any other argument of `run` that says what is trained.

    Returns:
        `fetched` (a dictionary for each model and data set), `failed` (why others are unavailable), `files`, `bytes`.

    Raises:
        BenchError: the request is wrong.
    """
    from harness.fetching import fetch_request

    _check_names("fetch", request, REQUEST, "of what is trained")
    return fetch_request(read_request(models, tasks, **{"baselines": False, **request}), _console(progress))


def list_tasks() -> pandas.DataFrame:
    """Return the registered tasks, as `bench tasks` lists them.

    Example:
        >>> "sst2" in list_tasks()["task"].tolist()
        True
    """
    import pandas

    from harness import listings

    return pandas.DataFrame(listings.tasks())


def list_models() -> pandas.DataFrame:
    """Return the registered models and baselines, as `bench models` lists them. Any Hub id or folder works too.

    Example:
        >>> "bert" in list_models()["model"].tolist()
        True
    """
    import pandas

    from harness import listings

    return pandas.DataFrame(listings.models())


def list_suites() -> pandas.DataFrame:
    """Return the registered suites, as `bench suites` lists them.

    Example:
        >>> "mini" in list_suites()["suite"].tolist()
        True
    """
    import pandas

    from harness import listings

    return pandas.DataFrame(listings.suites())


def _check_names(call: str, arguments: Iterable[str], valid: Iterable[str], which: str) -> None:
    """Raise a `TypeError`, as Python does, for an argument that the call does not take."""
    for name in arguments:
        if name not in valid:
            raise TypeError(
                f"{call}() got an unexpected keyword argument {name!r}; {which} it takes {', '.join(valid)}"
            )


def _option_value(name: str, value: Any) -> Any:
    """Convert a list of devices or a time in seconds to the text of its option; return other values unchanged."""
    if name == "devices":
        return with_commas(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number and name in ("timeout", "checkpoint_every") else value


def _console(visible: bool) -> Console:
    from harness.safe_text import console

    # A notebook claims to be a terminal, but would keep every frame of the live display.
    notebook = {"force_terminal": False, "color_system": None} if "ipykernel" in sys.modules else {}
    return console(file=sys.stdout, highlight=False, quiet=not visible, force_jupyter=False, **notebook)
