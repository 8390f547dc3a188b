"""What a user requests, read from the words of a command line or from the arguments of a Python call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.guess.chosen_columns import read_columns
from harness.model import Model
from harness.planning.arguments import check_boolean, check_integer, check_model, check_path, check_type, pairs
from harness.planning.option_values import Defaults, read_names, read_seeds, read_settings, read_sizes
from harness.planning.suite import suite_for
from harness.task import Task
from harness.train_rows import Sizes

if TYPE_CHECKING:
    from harness.search.search_option import SearchRequest

References = str | Task | Model | PathLike[str] | Sequence[Any]
Numbers = str | int | Sequence[Any] | None


@dataclass(frozen=True)
class Request:
    """The options of `bench run` and `bench plan`.

    Attributes:
        suite: a name or file; None: the default suite if all tasks are its own, else none.
        train_sizes: numbers of training rows for learning curves, None for all.
        baselines: whether each task gets the baselines of its family; the command line sets it, Python code has to.
        columns: for tasks of the form `family:path`: the family's column → the data's.
        keep_head: whether models continue from the heads that they bring; see `harness.model.Checkpoint`.
    """

    models: Sequence[str | Model]
    tasks: Sequence[str | Task]
    suite: str | None = None
    methods: Sequence[str] = ("full",)
    seeds: Sequence[int] = (0,)
    train_sizes: Sizes = (None,)
    limit: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    trust_remote_code: bool = False
    baselines: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    keep_head: bool = False


def read_request(
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
    trust_remote_code: bool = False,
    keep_head: bool = False,
    baselines: bool = True,
) -> Request:
    """Read a request. Methods, seeds or sizes of None are the suite's.

    Each value may be written as on the command line or as in Python: `seeds="0,1"` or `seeds=[0, 1]`, `settings=["lr=3e-5"]` or
    `settings={"lr": 3e-5}`.

    Raises:
        BenchError: an empty list, or a value that cannot be read.
    """
    suite = None if suite is None else check_path("suite", suite)
    task_references = read_references(tasks, "--tasks")
    needs_suite = None in (methods, seeds, train_sizes)
    defaults = suite_for(suite, task_references).defaults if needs_suite else Defaults()
    return Request(
        models=read_references(models, "--models"),
        tasks=task_references,
        suite=suite,
        methods=read_references(defaults.methods if methods is None else methods, "--methods"),
        seeds=read_seeds(_numbers(defaults.seeds if seeds is None else seeds, "--seeds")),
        train_sizes=read_sizes(_numbers(defaults.train_sizes if train_sizes is None else train_sizes, "--train-sizes")),
        limit=None if limit is None else check_integer("--limit", limit, 1, "a number of rows"),
        settings=read_settings(pairs(settings or {}, ",", "--set")),
        trust_remote_code=check_boolean("trust_remote_code", trust_remote_code),
        baselines=check_boolean("baselines", baselines),
        columns=read_columns(pairs(columns or {}, "+", "--column")),
        keep_head=check_boolean("keep_head", keep_head),
    )


def read_references(given: References, where: str) -> list[Any]:
    """Read references to tasks or models: names separated by commas, or a list. Paths become text; objects stay as they are.

    Raises:
        BenchError: there are none.
    """
    if isinstance(given, str):
        return read_names(given, where)
    kind = {"tasks": Task, "models": Model}.get(where.removeprefix("--"))
    expected = "names, paths" + (f", or harness.{kind.__name__}" if kind else "")
    is_data = isinstance(given, Mapping) or hasattr(given, "columns") or hasattr(given, "column_names")
    if kind is Task and is_data and not isinstance(given, Task):
        raise BenchError(f"{where}: a {type(given).__name__} is data; make a task of it: harness.Task.from_data(data, family=…)")
    if not isinstance(given, Iterable) or isinstance(given, (Mapping, bytes)):  # a single one
        given = [given]
    references = [fspath(reference) if isinstance(reference, PathLike) else reference for reference in given]
    for reference in references:
        check_type(where, reference, (str, kind) if kind else str, expected)
        if reference == "":
            raise BenchError(f"{where}: '' names nothing; give {expected}")
    if not references:
        raise BenchError(f"{where} is empty; name one or more, or all")
    return [check_model(reference) if isinstance(reference, Model) else reference for reference in references]


def read_search(given: str | Mapping[str, Sequence[Any]] | Iterable[str] | None, request: Request) -> SearchRequest | None:
    """Read the search for recipes that is requested, or else the suite's; check it before anything is downloaded or read.

    Args:
        given: as `--search` has it (`"auto"`, `["lr=1e-5,3e-5"]`), or field → values (`{"lr": [1e-5, 3e-5]}`).

    Raises:
        BenchError: it is unknown, or contradicts the request.
    """
    from harness.search import search_option

    suite, where = suite_for(request.suite, request.tasks), search_option.OPTION
    texts = pairs(given or (), ",", where)
    if not texts:
        texts, where = list(suite.defaults.search), f"{request.suite or suite.name}: search"
    search = search_option.parse_search(texts, where)
    if search is None:
        return None
    if search.kind == search_option.OPTUNA:
        from harness.search.searchers import require_optuna

        require_optuna()
    if search.kind == search_option.SUITE and not suite.search.get(search_option.GRID):
        raise BenchError(
            f"--search suite: {f'the suite {suite.name} has no section search.grid' if suite.name else 'no suite is named'}; "
            "name fields instead, such as --search lr=1e-5,3e-5, or use --suite standard"
        )
    search_option.check_fields(search, search.names, request.methods, request.settings)
    return search


def _numbers(given: Numbers, where: str) -> str:
    """Write numbers as an option; a list of one seed is that seed, not a number of seeds."""
    if isinstance(given, (str, Integral)) and not isinstance(given, bool):
        return str(given)
    check_type(where, given, Iterable, "a whole number, or a list of them")
    texts = ["all" if number is None else str(number) for number in given]
    return ",".join(texts) + ("," if len(texts) == 1 else "")
