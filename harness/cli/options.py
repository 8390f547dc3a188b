"""The options of `bench`. Each is declared once and can also be set as the environment variable BENCH_<OPTION>.

Here and in the commands, modules that a help text does not need are imported inside functions.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

RESULTS = "bench-results"


def option(name: str, help: str, **settings: Any) -> Any:
    """Return an option `--name`, or `--name/--no-name`, that also reads its environment variable."""
    variable = "BENCH_" + name.partition("/")[0].removeprefix("--").replace("-", "_").upper()
    return typer.Option(name, envvar=variable, help=help, **settings)


def _check_results(results: str) -> str:
    if "://" in results or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", results):
        from harness.remote.remote_folder import check_url

        check_url(results)
    return results


# What is trained

Models = Annotated[
    str, option("--models", "Names, Hub ids, folders, .gguf files, pkg:package/folder, baselines; or all. Commas between.")
]
Tasks = Annotated[str, option("--tasks", "Tasks, families, task files (.yaml), family:path; or all. Commas between.")]
SuiteName = Annotated[
    str | None,
    option("--suite", "A suite's name or YAML file. Without: mini for its own tasks and --tasks all, none for any other task."),
]
Methods = Annotated[
    str | None, option("--methods", "full, lora, frozen, scratch. Commas between; default: the suite's, or full.")
]
Seeds = Annotated[
    str | None,
    option("--seeds", "How many (3 means 0,1,2), or the seeds with commas (3, is seed 3 alone); default: the suite's, or 1."),
]
Limit = Annotated[int | None, option("--limit", "At most N rows of every split.", min=1)]
Columns = Annotated[
    list[str] | None,
    option(
        "--column",
        "For family:path, OURS=THEIRS: which of the data's columns is the family's (label=airline_sentiment; a+b joins texts). May be repeated.",
    ),
]
TrainSizes = Annotated[
    str | None,
    option(
        "--train-sizes",
        "Learning curves: numbers of training rows, and all, such as 100,1000,all; default: the suite's, or all. "
        "Validation and test stay whole.",
    ),
]
Settings = Annotated[list[str] | None, option("--set", "NAME=VALUE of a recipe field, such as lr=3e-5; may be repeated.")]
Search = Annotated[
    list[str] | None,
    option(
        "--search",
        "Choose recipes on validation: auto (learning rates), FIELD=V1,V2 (lr=1e-5,3e-5; may be repeated), optuna:N, "
        "or suite (its grid); none leaves out what a suite asks for.",
    ),
]
Baselines = Annotated[
    bool,
    option("--baselines/--no-baselines", "Run the baselines of each task too. Those that --models names replace them."),
]
TrustRemoteCode = Annotated[
    bool,
    option(
        "--trust-remote-code",
        "Run Python code from the repositories of models that cannot be loaded without. Read it first.",
    ),
]
KeepHead = Annotated[
    bool,
    option(
        "--keep-head",
        "Go on from the heads of fine-tuned models, whose label names must be the task's. Without it every head starts fresh.",
    ),
]

# Where cells run, how long they may take, and what happens when they fail

Engine = Annotated[str, option("--engine", "local, ray, or inline for debugging.")]
Address = Annotated[str, option("--address", "The Ray cluster: HOST:PORT, or auto (RAY_ADDRESS, or this machine's).")]
Devices = Annotated[str, option("--devices", "auto, cpu, cuda:0,cuda:1 ...")]
Jobs = Annotated[int | None, option("--jobs", "Cells at once; default: by the devices.", min=1)]
DevicesPerCell = Annotated[
    int,
    option("--devices-per-cell", "Train each cell on N GPUs (on a CPU: in N processes) that share its batches.", min=1),
]
Shard = Annotated[str | None, option("--shard", "I/N: only every N-th cell, from the I-th (1 to N) on.")]
CheckpointEvery = Annotated[
    str,
    option("--checkpoint-every", "How often a training is saved, to go on from there: 5m, 200steps, never."),
]
Timeout = Annotated[str | None, option("--timeout", "The longest that a cell may take, such as 90s, 30m, 2h.")]
Retries = Annotated[int, option("--retries", "How often a cell that failed is tried again.", min=0)]
FailFast = Annotated[bool, option("--fail-fast", "End the run at the first cell that failed.")]
RerunFailed = Annotated[
    bool,
    option("--rerun-failed", "Run also cells that failed for a reason that another try would meet again."),
]
EstimateSearch = Annotated[
    bool,
    option(
        "--estimate/--no-estimate",
        "Before a search, say how long it will take, even if this machine has to be measured for that.",
    ),
]
EstimatePlan = Annotated[
    bool,
    option(
        "--estimate/--no-estimate",
        "Time and memory, from past records and a measurement of this machine, which is made once and kept.",
    ),
]

# Results

Results = Annotated[
    str, option("--results", "The results: a folder, or a URL (s3://, gs://).", callback=_check_results)
]
TaskNames = Annotated[str, option("--task", "Tasks; default: all. Commas between.")]
Json = Annotated[bool, option("--json", "Print JSON.")]
