"""`bench plan`: what a run would do."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.options import RESULTS
from harness.cli.run_options import Devices, Jobs

Estimate = Annotated[
    bool,
    typer.Option(
        "--estimate/--no-estimate",
        envvar="BENCH_ESTIMATE",
        help="Time and memory, from past records and a measurement of this machine, which is made once and kept.",
    ),
]


def plan(
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = None,
    methods: options.Methods = None,
    seeds: options.Seeds = None,
    columns: options.Columns = None,
    limit: options.Limit = None,
    train_sizes: options.TrainSizes = None,
    settings: options.Settings = None,
    search: options.Search = None,
    trust_remote_code: options.TrustRemoteCode = False,
    keep_head: options.KeepHead = False,
    baselines: options.Baselines = True,
    results: options.Results = RESULTS,
    devices: Devices = "auto",
    jobs: Jobs = None,
    estimate: Estimate = True,
    as_json: options.Json = False,
) -> None:
    """Show the cells of a run, which are finished, and how long the others will take. Runs nothing."""
    from harness.plan_report import report_plan
    from harness.planning.request import read_request, read_search
    from harness.report.cells_table import to_json
    from harness.running import say
    from harness.safe_text import console as make_console

    request = read_request(
        models, tasks, suite=suite, methods=methods, seeds=seeds, columns=columns, limit=limit, train_sizes=train_sizes, settings=settings,
        trust_remote_code=trust_remote_code, keep_head=keep_head, baselines=baselines,
    )  # fmt: skip
    tell = partial(typer.echo, err=True)  # what it prints may be JSON
    report = report_plan(request, read_search(search, request), results, devices, jobs, estimate, tell)
    if as_json:
        print(to_json(report.facts()))
        return
    console = make_console(highlight=False)
    console.print(report.table)
    for line, style in report.lines():
        say(console, line, style or None)
