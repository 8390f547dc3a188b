"""The options that several commands share, each declared once. Every one also reads BENCH_<OPTION>.

Here and in the commands, whatever is not needed to print a help text is imported inside functions.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

RESULTS = "bench-results"

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
SuiteName = Annotated[
    str | None,
    typer.Option(
        "--suite",
        envvar="BENCH_SUITE",
        help="A suite's name or YAML file. Without: mini for its own tasks and --tasks all, none for any other task.",
    ),
]
Methods = Annotated[
    str | None,
    typer.Option(
        "--methods",
        envvar="BENCH_METHODS",
        help="full, lora, frozen, scratch. Commas between; default: the suite's, or full.",
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        envvar="BENCH_SEEDS",
        help="How many (3 means 0,1,2), or the seeds with commas (3, is seed 3 alone); default: the suite's, or 1.",
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
    str | None,
    typer.Option(
        "--train-sizes",
        envvar="BENCH_TRAIN_SIZES",
        help="Learning curves: numbers of training rows, and all, such as 100,1000,all; default: the suite's, or all. "
        "Validation and test stay whole.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", envvar="BENCH_SET", help="NAME=VALUE of a recipe field, such as lr=3e-5; may be repeated."),
]
Search = Annotated[
    list[str] | None,
    typer.Option(
        "--search",
        envvar="BENCH_SEARCH",
        help="Choose recipes on validation: auto (learning rates), FIELD=V1,V2 (lr=1e-5,3e-5; may be repeated), optuna:N, "
        "or suite (its grid); none leaves out what a suite asks for.",
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

KeepHead = Annotated[
    bool,
    typer.Option(
        "--keep-head",
        envvar="BENCH_KEEP_HEAD",
        help="Go on from the heads of fine-tuned models, whose label names must be the task's. Without it every head starts fresh.",
    ),
]


def _results(place: str) -> str:
    """The folder or URL, if results can be kept there."""
    if "://" in place or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", place):
        from harness.remote.remote_folder import check_url

        check_url(place)
    return place


Results = Annotated[
    str,
    typer.Option(
        "--results", envvar="BENCH_RESULTS", callback=_results, help="The results: a folder, or a URL (s3://, gs://)."
    ),
]
Json = Annotated[bool, typer.Option("--json", envvar="BENCH_JSON", help="Print JSON.")]
