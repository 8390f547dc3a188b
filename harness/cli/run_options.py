"""The options of `bench run` alone: where cells run, how long they may take, what happens when they fail."""

from __future__ import annotations

from typing import Annotated

import typer

Engine = Annotated[str, typer.Option("--engine", envvar="BENCH_ENGINE", help="local, ray, or inline for debugging.")]
Address = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="BENCH_ADDRESS",
        help="The Ray cluster: HOST:PORT, or auto (RAY_ADDRESS, or this machine's).",
    ),
]
Devices = Annotated[str, typer.Option("--devices", envvar="BENCH_DEVICES", help="auto, cpu, cuda:0,cuda:1 ...")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", envvar="BENCH_JOBS", min=1, help="Cells at once; default: by the devices.")
]
DevicesPerCell = Annotated[
    int,
    typer.Option(
        "--devices-per-cell",
        envvar="BENCH_DEVICES_PER_CELL",
        min=1,
        help="Train each cell on N GPUs (on a CPU: in N processes) that share its batches.",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option("--shard", envvar="BENCH_SHARD", help="I/N: only every N-th cell, from the I-th (1 to N) on."),
]
CheckpointEvery = Annotated[
    str,
    typer.Option(
        "--checkpoint-every",
        envvar="BENCH_CHECKPOINT_EVERY",
        help="How often a training is saved, to go on from there: 5m, 200steps, never.",
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", envvar="BENCH_TIMEOUT", help="The longest that a cell may take, such as 90s, 30m, 2h."),
]
Retries = Annotated[
    int,
    typer.Option("--retries", envvar="BENCH_RETRIES", min=0, help="How often a cell that failed is tried again."),
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", envvar="BENCH_FAIL_FAST", help="End the run at the first cell that failed.")
]
RerunFailed = Annotated[
    bool,
    typer.Option(
        "--rerun-failed",
        envvar="BENCH_RERUN_FAILED",
        help="Run also cells that failed for a reason that another try would meet again.",
    ),
]


EstimateSearch = Annotated[
    bool,
    typer.Option(
        "--estimate/--no-estimate",
        envvar="BENCH_ESTIMATE",
        help="Before a search, say how long it will take, even if this machine has to be measured for that.",
    ),
]
