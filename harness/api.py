"""The Python API: each command of `bench` as one call, with the command's names and errors. `docs/python.md` shows it in use.

What a person can mend raises `harness.BenchError` with one line. Progress is printed: a live picture in a terminal, plain lines in
a notebook or a log, nothing with `progress=False`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.model import Model
from harness.planning.arguments import check_integer, check_path, with_commas
from harness.planning.request import Numbers, References, read_references, read_request, read_search
from harness.results import Comparison, Recommendation, Results, load_results

if TYPE_CHECKING:
    import pandas
    from rich.console import Console

    from harness.checked_task import CheckedTask
    from harness.plan_report import PlanReport

RESULTS = "bench-results"


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
    """Fine-tune every model on every task and rank them, as `bench run` does. What is finished already is not run again.

    Args:
        models: names, Hub ids, folders, `harness.Model`; one or a list, or `all` of the suite.
        tasks: names, families, task files, `family:path`, `harness.Task`; one or a list, or `all` of the suite.
        suite: its name or YAML file; default: mini for its own tasks, none for any other task.
        methods: of `full`, `lora`, `frozen`, `scratch`; default: the suite's, or `full`.
        seeds: how many (3 means 0, 1, 2), or a list of seeds; default: the suite's, or 1.
        columns: for tasks given as `family:path`: the family's column → the data's.
        limit: at most so many rows of every split.
        train_sizes: for learning curves: numbers of training rows, and `"all"`.
        settings: recipe field → value, such as `{"lr": 3e-5}`.
        search: choose recipes on validation: `"auto"`, `{"lr": [1e-5, 3e-5]}`, `"optuna:20"`, `"suite"`.
        trust_remote_code: run Python code from the repositories of models that cannot be loaded without.
        keep_head: go on from the heads of fine-tuned models.
        baselines: run the baselines of each task too.
        results: a folder or URL.
        progress: whether to print what happens.
        execution: how cells run; `help("harness.running.Execution")` tells more: `engine`, `devices`, `jobs`, `devices_per_cell`, `shard`,
            `checkpoint_every`, `timeout`, `retries`, `fail_fast`, `rerun_failed`, `address`, `estimate`.

    Returns:
        The results of these cells. A cell that failed is no exception: see `Results.failed`.

    Raises:
        BenchError: the request is wrong, the results cannot be written, or the disk is full.
        KeyboardInterrupt: the person has interrupted it; the same call goes on from there.

    Example:
        >>> results = run("bert-mini", "mini-sentiment", limit=40, settings={"epochs": 1}, progress=False, results="tmp")
        >>> results.frame()[["model", "status"]].values.tolist()[-1]
        ['bert-mini', 'ok']
    """
    from harness.engines.grid import DiskFull
    from harness.run_end import say_end
    from harness.running import Execution, execute

    known = Execution.__dataclass_fields__
    for name in execution:
        if name not in known:
            raise TypeError(f"run() got an unexpected keyword argument {name!r}; of how cells run it takes {', '.join(known)}")
    how = Execution(**{name: _as_option(name, value) for name, value in execution.items()})
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
    say_end(grid, grid.records(), console, 'run(…, search="auto")')
    return Results(grid.store, [cell.id for cell in grid.every])


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
    """What a run would do and how long it would take, as `bench plan` tells it. Trains nothing.

    Args:
        estimate: whether time and memory are wanted; this machine is measured once for them, which takes some seconds.
        request: any other argument of `run` that says what is trained, such as `seeds`, `methods` or `settings`.

    Raises:
        BenchError: the request is wrong.

    Example:
        >>> plan("bert-mini", "mini-ner", seeds=2, estimate=False, results="nowhere").frame()["seed"].tolist()
        [0, 0, 0, 1, 1, 1]
    """
    from harness.plan_report import report_plan
    from harness.running import say

    _known("plan", request)
    asked = read_request(models, tasks, **request)
    jobs = None if jobs is None else check_integer("--jobs", jobs, 1)
    console = _console(progress)
    return report_plan(
        asked, read_search(search, asked), check_path("results", results), with_commas(devices), jobs, estimate, lambda line: say(console, line)
    )


def compare(
    ours: str | Model, theirs: str | Model, results: str | PathLike[str] | Results = RESULTS, tasks: str | Sequence[str] = ()
) -> Comparison:
    """Two models on the same test rows; see `Results.compare`.

    Example:
        >>> compare("bert-mini", "gpt2-mini", "results", "mini-ner").frame()["better"].tolist()
        ['bert-mini']
    """
    return load_results(results).compare(ours, theirs, tasks)


def recommend(results: str | PathLike[str] | Results = RESULTS, **limits: Any) -> Recommendation:
    """Which model to fine-tune under limits; see `Results.recommend`.

    Example:
        >>> recommend("results", max_parameters="2M").model
        't5-mini'
    """
    return load_results(results).recommend(**limits)


def check_task(
    tasks: References,
    *,
    model: str | None = None,
    max_length: int | None = None,
    columns: Mapping[str, Any] | Iterable[str] | None = None,
    suite: str | PathLike[str] | None = None,
    limit: int | None = None,
) -> list[CheckedTask]:
    """What is in the data of tasks and what is wrong with them, as `bench task check` tells it. Trains nothing.

    Args:
        tasks: as for `run`.
        model: count its tokens too, and the rows that it must cut.
        max_length: tokens, in the place of the recipe's.

    Raises:
        BenchError: no such task or model. Data that cannot be trained on are findings, and no exception.

    Example:
        >>> (found,) = check_task("mini-sentiment")
        >>> found.errors, found.report.rows["train"] > 0
        ([], True)
    """
    from harness.checked_task import check_tasks

    return check_tasks(read_references(tasks, "tasks"), model, max_length, columns, None if suite is None else check_path("suite", suite), limit)


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
        family: default: told by the data.
        output: the file to write; default: NAME.yaml in the current folder.
        columns: the family's column → the data's.
        force: overwrite a file that is there.

    Returns:
        The file, and what is left to do in it.

    Raises:
        BenchError: no such data, several readings, or a file that is there already.
    """
    from harness.scaffold.new import write_task_file

    return write_task_file(check_path("data", data), family, None if output is None else Path(output), columns or {}, force)


def fetch(models: References = "all", tasks: References = "all", progress: bool = True, **request: Any) -> dict[str, Any]:
    """Bring what a run needs from the Hub into the cache, as `bench fetch` does.

    Args:
        request: any other argument of `run` that says what is trained.

    Returns:
        `fetched` (a dictionary for each model and data set), `failed` (why others could not be had), `files`, `bytes`.

    Raises:
        BenchError: the request is wrong.
    """
    from harness.fetching import fetch_request

    _known("fetch", request)
    return fetch_request(read_request(models, tasks, **{"baselines": False, **request}), _console(progress))


def list_tasks() -> pandas.DataFrame:
    """The registered tasks, as `bench tasks` lists them.

    Example:
        >>> "sst2" in list_tasks()["task"].tolist()
        True
    """
    return _listed("tasks")


def list_models() -> pandas.DataFrame:
    """The registered models and baselines, as `bench models` lists them; any Hub id or folder works as well.

    Example:
        >>> "bert" in list_models()["model"].tolist()
        True
    """
    return _listed("models")


def list_suites() -> pandas.DataFrame:
    """The registered suites, as `bench suites` lists them.

    Example:
        >>> "mini" in list_suites()["suite"].tolist()
        True
    """
    return _listed("suites")


def _known(call: str, given: Iterable[str]) -> None:
    """A `TypeError` as Python has it for an argument that the call does not take."""
    known = [name for name in signature(read_request).parameters if name not in ("models", "tasks")]
    for name in given:
        if name not in known:
            raise TypeError(f"{call}() got an unexpected keyword argument {name!r}; of what is trained it takes {', '.join(known)}")


def _as_option(name: str, value: Any) -> Any:
    """What Python has in another form than the command line: lists of devices, times in seconds."""
    if name == "devices":
        return with_commas(value)
    seconds = name in ("timeout", "checkpoint_every") and isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if seconds else value


def _listed(kind: str) -> pandas.DataFrame:
    import pandas

    from harness import listings

    return pandas.DataFrame(getattr(listings, kind)())


def _console(shown: bool) -> Console:
    from harness.safe_text import console

    # A notebook claims to be a terminal, but keeps every picture that was ever drawn in it.
    notebook = {"force_terminal": False, "color_system": None} if "ipykernel" in sys.modules else {}
    return console(file=sys.stdout, highlight=False, quiet=not shown, force_jupyter=False, **notebook)
