"""What a person asks for, read from the words of a command line or from the arguments of a Python call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.guess.chosen import read_columns
from harness.model import Model
from harness.planning.arguments import checked_model, need, pairs, path_of, truth, whole
from harness.planning.defaults import Defaults, read_names, read_seeds, read_sizes, recipe_settings
from harness.planning.plan import Request
from harness.planning.suite import suite_for
from harness.task import Task

if TYPE_CHECKING:
    from harness.search.search_option import SearchRequest

References = str | Task | Model | PathLike[str] | Sequence[Any]
Numbers = str | int | Sequence[Any] | None


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
    """The request that these options mean. For methods, seeds or sizes of None the suite is asked.

    Each value is as the command line has it, or as Python has it: `seeds="0,1"` or `seeds=[0, 1]`, `settings=["lr=3e-5"]` or
    `settings={"lr": 3e-5}`.

    Raises:
        BenchError: an empty list, or a value that cannot be read.
    """
    suite = None if suite is None else path_of("suite", suite)
    asked = read_references(tasks, "--tasks")
    silent = None in (methods, seeds, train_sizes)
    defaults = suite_for(suite, asked).defaults if silent else Defaults()
    return Request(
        models=read_references(models, "--models"),
        tasks=asked,
        suite=suite,
        methods=read_references(defaults.methods if methods is None else methods, "--methods"),
        seeds=read_seeds(_numbers(defaults.seeds if seeds is None else seeds, "--seeds")),
        train_sizes=read_sizes(_numbers(defaults.train_sizes if train_sizes is None else train_sizes, "--train-sizes")),
        limit=None if limit is None else whole("--limit", limit, 1, "a number of rows"),
        settings=recipe_settings(_settings(settings or {})),
        trust_remote_code=truth("trust_remote_code", trust_remote_code),
        baselines=truth("baselines", baselines),
        columns=read_columns(pairs(columns or {}, "+", "--column")),
        keep_head=truth("keep_head", keep_head),
    )


def read_references(given: References, where: str) -> list[Any]:
    """References to tasks or models: text with commas between, or a list; objects stay as they are, paths become text.

    Raises:
        BenchError: there are none.
    """
    if isinstance(given, str):
        return read_names(given, where)
    kinds = {"tasks": Task, "models": Model}
    object_kind = kinds.get(where.removeprefix("--"))
    what = "names, paths" + (f", or harness.{object_kind.__name__}" if object_kind else "")
    data = isinstance(given, Mapping) or hasattr(given, "columns") or hasattr(given, "column_names")
    if object_kind is Task and data and not isinstance(given, Task):
        raise BenchError(f"{where}: a {type(given).__name__} is data; make a task of it: harness.Task.from_data(data, family=…)")
    if not isinstance(given, Iterable) or isinstance(given, (Mapping, bytes)):  # one alone
        given = [given]
    found = [fspath(one) if isinstance(one, PathLike) else one for one in given]
    for one in found:
        need(where, one, (str, object_kind) if object_kind else str, what)
        if one == "":
            raise BenchError(f"{where}: '' names nothing; give {what}")
    if not found:
        raise BenchError(f"{where} is empty; name one or more, or all")
    return [checked_model(one) if isinstance(one, Model) else one for one in found]


def read_search(given: str | Mapping[str, Sequence[Any]] | Iterable[str] | None, request: Request) -> SearchRequest | None:
    """The search for recipes that is asked for, or else the suite's, checked before anything is downloaded or read.

    Args:
        given: as `--search` has it (`"auto"`, `["lr=1e-5,3e-5"]`), or field → values (`{"lr": [1e-5, 3e-5]}`).

    Raises:
        BenchError: it is unknown, or the request contradicts it.
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
    """Numbers as their option has them; a list of one seed is that seed, and no number of seeds."""
    if isinstance(given, (str, Integral)) and not isinstance(given, bool):
        return str(given)
    need(where, given, Iterable, "a whole number, or a list of them")
    texts = ["all" if one is None else str(one) for one in given]
    return ",".join(texts) + ("," if len(texts) == 1 else "")


def _settings(given: Mapping[str, Any] | Iterable[str]) -> dict[str, str]:
    """Settings by name, as `--set` has them."""
    found: dict[str, str] = {}
    for text in pairs(given, ",", "--set"):
        name, equals, value = text.partition("=")
        if not equals:
            raise BenchError(f"--set {text}: must be NAME=VALUE, such as lr=3e-5")
        found[name.strip()] = value.strip()
    return found
