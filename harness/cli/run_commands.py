"""`bench run`, `bench plan` and `bench fetch`: the commands that take models and tasks."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from functools import partial
from typing import Any

import typer

from harness.cli import options
from harness.cli.options import RESULTS
from harness.files import dump_json

INTERRUPTED = 130  # exit status


def run(
    context: typer.Context,
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
    engine: options.Engine = "local",
    address: options.Address = "auto",
    devices: options.Devices = "auto",
    jobs: options.Jobs = None,
    devices_per_cell: options.DevicesPerCell = 1,
    shard: options.Shard = None,
    checkpoint_every: options.CheckpointEvery = "5m",
    timeout: options.Timeout = None,
    retries: options.Retries = 0,
    fail_fast: options.FailFast = False,
    rerun_failed: options.RerunFailed = False,
    estimate: options.EstimateSearch = True,
    as_json: options.Json = False,
) -> None:
    """Fine-tune every model on every task and rank them. What is finished already is not run again."""
    from harness.engines.grid import DiskFull
    from harness.planning.request import read_request, read_search
    from harness.run_output import print_end, print_line, print_table, summaries
    from harness.running import Execution, execute
    from harness.safe_text import console as make_console
    from harness.trouble import SEARCH

    execution = Execution(
        engine, address, devices, jobs, devices_per_cell, shard, checkpoint_every, timeout, retries, fail_fast, rerun_failed, estimate
    )
    execution.check()
    request = read_request(
        models, tasks, suite=suite, methods=methods, seeds=seeds, columns=columns, limit=limit, train_sizes=train_sizes, settings=settings,
        trust_remote_code=trust_remote_code, keep_head=keep_head, baselines=baselines,
    )  # fmt: skip
    search_request = read_search(search, request)
    # The stream is passed because the engine `inline` replaces sys.stdout and sys.stderr.
    console = make_console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    # A closed terminal or the end of a batch job saves as much as Ctrl-C does.
    _handle_signals(signal.default_int_handler, "SIGTERM", "SIGHUP")
    try:
        grid = execute(request, search_request, results, execution, console)
        records = grid.records()
        if as_json:
            print(dump_json(summaries(records), indent=1))
        else:
            print_table(grid, records, console)
        succeeded = print_end(grid, records, console, f"{command_line(context)} {SEARCH}")
    except DiskFull as error:
        print_line(console, f"{error}; finished cells are kept in {results}: make room, then run the same command again", "red")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        ignore_signals()  # all cells have ended: another Ctrl-C must not show a traceback of Python's exit
        print_line(console, f"interrupted; finished cells are kept in {results}, the others go on from there: run it again")
        raise typer.Exit(INTERRUPTED) from None
    if not succeeded:
        raise typer.Exit(1)


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
    devices: options.Devices = "auto",
    jobs: options.Jobs = None,
    estimate: options.EstimatePlan = True,
    as_json: options.Json = False,
) -> None:
    """Show the cells of a run, which are finished, and how long the others will take. Runs nothing."""
    from harness.plan_report import report_plan
    from harness.planning.request import read_request, read_search
    from harness.report.cells_table import to_json
    from harness.run_output import print_line
    from harness.safe_text import console as make_console

    request = read_request(
        models, tasks, suite=suite, methods=methods, seeds=seeds, columns=columns, limit=limit, train_sizes=train_sizes, settings=settings,
        trust_remote_code=trust_remote_code, keep_head=keep_head, baselines=baselines,
    )  # fmt: skip
    print_progress = partial(typer.echo, err=True)  # standard output may be JSON
    report = report_plan(request, read_search(search, request), results, devices, jobs, estimate, print_progress)
    if as_json:
        print(to_json(report.facts()))
        return
    console = make_console(highlight=False)
    console.print(report.table)
    for line, style in report.lines():
        print_line(console, line, style or None)


def fetch(
    models: options.Models = "all",
    tasks: options.Tasks = "all",
    suite: options.SuiteName = None,
    methods: options.Methods = None,
    seeds: options.Seeds = None,
    columns: options.Columns = None,
    limit: options.Limit = None,
    settings: options.Settings = None,
    trust_remote_code: options.TrustRemoteCode = False,
    as_json: options.Json = False,
) -> None:
    """Bring the models and data of a run into the cache; `HF_HUB_OFFLINE=1 bench run` then needs no network."""
    from harness.fetching import fetch_request
    from harness.planning.request import read_request
    from harness.safe_text import console as make_console

    if not sys.stderr.isatty():  # the libraries read these when they are imported
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    request = read_request(
        models, tasks, suite=suite, methods=methods, seeds=seeds, columns=columns, limit=limit, settings=settings,
        trust_remote_code=trust_remote_code, baselines=False,
    )  # fmt: skip
    report = fetch_request(request, make_console(stderr=as_json, highlight=False))
    if as_json:
        print(dump_json(report, indent=1))
    if report["failed"]:
        raise typer.Exit(1)


def command_line(context: typer.Context) -> str:
    """Return the command as it was typed, without a fixed learning rate, because a search would contradict it."""
    words = ["bench", str(context.info_name)]
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        if source is None or source.name != "COMMANDLINE":
            continue  # a default, or from the environment, where it still is
        value = context.params[str(option.name)]
        if isinstance(value, bool):
            words.append((option.opts if value else option.secondary_opts)[0])
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            if option.name != "settings" or item.partition("=")[0].strip() != "recipe.learning_rate":
                words += [option.opts[0], str(item)]
    return shlex.join(words)


def ignore_signals() -> None:
    """Ignore Ctrl-C and the signals that end a process."""
    _handle_signals(signal.SIG_IGN, "SIGINT", "SIGTERM", "SIGHUP")


def _handle_signals(handler: Any, *names: str) -> None:
    """Set the handler of each signal, unless this system lacks the signal or it is ignored, as under nohup."""
    for name in names:
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)
