"""The options that several commands share, each declared once. Every one also reads BENCH_<OPTION>.

Here and in the commands, whatever is not needed to print a help text is imported inside functions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.plan import Request

RESULTS = "bench-results"
SMALLEST = 2  # training rows: one alone is of one class

Models = Annotated[
    str,
    typer.Option(
        "--models",
        envvar="BENCH_MODELS",
        help="Names, Hub ids, folders, .gguf files, pkg:package/folder, baselines; or all. Commas between.",
    ),
]
Tasks = Annotated[
    str,
    typer.Option(
        "--tasks",
        envvar="BENCH_TASKS",
        help="Tasks, families, task files (.yaml), family:path; or all. Commas between.",
    ),
]
SuiteName = Annotated[str, typer.Option("--suite", envvar="BENCH_SUITE", help="A suite's name or YAML file.")]
Methods = Annotated[
    str, typer.Option("--methods", envvar="BENCH_METHODS", help="full, lora, frozen, scratch. Commas between.")
]
Seeds = Annotated[
    str,
    typer.Option(
        "--seeds", envvar="BENCH_SEEDS", help="How many (3 means 0,1,2), or the seeds with commas (3, is seed 3 alone)."
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", envvar="BENCH_LIMIT", min=1, help="At most N rows of every split.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        envvar="BENCH_COLUMN",
        help="For family:path, OURS=THEIRS: which of the data's columns is the family's (label=airline_sentiment; a+b joins texts). May be repeated.",
    ),
]
TrainSizes = Annotated[
    str,
    typer.Option(
        "--train-sizes",
        envvar="BENCH_TRAIN_SIZES",
        help="Learning curves: numbers of training rows, and all, such as 100,1000,all. Validation and test stay whole.",
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", envvar="BENCH_SET", help="recipe.NAME=VALUE; may be repeated.")
]
Search = Annotated[
    list[str] | None,
    typer.Option(
        "--search",
        envvar="BENCH_SEARCH",
        help="Choose recipes on validation: FIELD=V1,V2 (lr=1e-5,3e-5; may be repeated), optuna:N trials, or suite (its grid).",
    ),
]
Baselines = Annotated[
    bool,
    typer.Option(
        "--baselines/--no-baselines",
        envvar="BENCH_BASELINES",
        help="Run the baselines of each task too. Those that --models names replace them.",
    ),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        envvar="BENCH_TRUST_REMOTE_CODE",
        help="Run Python code from the repositories of models that cannot be loaded without. Read it first.",
    ),
]


def _results(place: str) -> str:
    """The folder or URL, if results can be kept there."""
    if "://" in place or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", place):
        from harness.remote.folder import check_url

        check_url(place)
    return place


Results = Annotated[
    str,
    typer.Option(
        "--results", envvar="BENCH_RESULTS", callback=_results, help="The results: a folder, or a URL (s3://, gs://)."
    ),
]
Json = Annotated[bool, typer.Option("--json", envvar="BENCH_JSON", help="Print JSON.")]


def make_request(
    models: str,
    tasks: str,
    suite: str,
    methods: str,
    seeds: str,
    limit: int | None,
    settings: list[str] | None,
    trust_remote_code: bool = False,
    baselines: bool = False,
    train_sizes: str = "all",
    columns: list[str] | None = None,
) -> Request:
    """The request that these options mean.

    Raises:
        BenchError: an empty list, or a seed, setting or column that cannot be read.
    """
    from harness.guess.chosen import read_columns
    from harness.plan import Request

    return Request(
        models=names("--models", models),
        tasks=names("--tasks", tasks),
        suite=suite,
        methods=names("--methods", methods),
        seeds=_seeds(seeds),
        train_sizes=_sizes(train_sizes),
        limit=limit,
        settings=dict(_setting(item) for item in settings or []),
        trust_remote_code=trust_remote_code,
        baselines=baselines,
        columns=read_columns(columns or []),
    )


def names(option: str, text: str) -> list[str]:
    """What stands between the commas of an option."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise BenchError(f"{option} is empty; name one or more, or all")
    return found


def _seeds(text: str) -> list[int]:
    from harness.searched import SEARCH_SEED

    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BenchError(f"--seeds {text}: must be a number of seeds (3) or seeds with commas (0,1,2)") from None
    if "," not in text:
        numbers = list(range(numbers[0]))
    if not numbers or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise BenchError(f"--seeds {text}: must be 1 or more, or different seeds of 0 and above")
    if max(numbers) >= SEARCH_SEED:
        raise BenchError(f"--seeds {text}: must be below {SEARCH_SEED}; seeds from there on belong to searches")
    return numbers


def _sizes(text: str) -> tuple[int | None, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    sizes = tuple(None if part == "all" else int(part) if part.isdecimal() else 0 for part in parts)
    if not sizes or len(set(sizes)) < len(sizes) or any(size is not None and size < SMALLEST for size in sizes):
        raise BenchError(
            f"--train-sizes {text}: must be different numbers of rows, {SMALLEST} or more, or all, with commas (100,1000,all)"
        )
    return tuple(sorted(sizes, key=lambda size: (size is None, size or 0)))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BenchError(f"--set {text}: must be NAME=VALUE, e.g. recipe.learning_rate=3e-5")
    return name.strip(), value.strip()
