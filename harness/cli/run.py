"""`bench run`: train and evaluate every pending cell, then show the table."""

from __future__ import annotations

import shlex
import sys

import typer

from harness.cli import options, run_options
from harness.cli.options import RESULTS
from harness.cli.signals import ignore, interrupt_at

INTERRUPTED = 130


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
    engine: run_options.Engine = "local",
    address: run_options.Address = "auto",
    devices: run_options.Devices = "auto",
    jobs: run_options.Jobs = None,
    devices_per_cell: run_options.DevicesPerCell = 1,
    shard: run_options.Shard = None,
    checkpoint_every: run_options.CheckpointEvery = "5m",
    timeout: run_options.Timeout = None,
    retries: run_options.Retries = 0,
    fail_fast: run_options.FailFast = False,
    rerun_failed: run_options.RerunFailed = False,
    estimate: run_options.EstimateSearch = True,
    as_json: options.Json = False,
) -> None:
    """Fine-tune every model on every task and rank them. What is finished already is not run again."""
    from harness.engines.grid import DiskFull
    from harness.files import dump_json
    from harness.planning.request import read_request, read_search
    from harness.run_end import say_end, say_table, summaries
    from harness.running import Execution, execute, say
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
    wanted = read_search(search, request)
    # Bound to the stream: the engine `inline` puts another one into its place.
    console = make_console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    # What ends a session or a batch job (its terminal or its time is gone) saves as much as Ctrl-C.
    interrupt_at("SIGTERM", "SIGHUP")
    try:
        grid = execute(request, wanted, results, execution, console)
        records = grid.records()
        if as_json:
            print(dump_json(summaries(records), indent=1))
        else:
            say_table(grid, records, console)
        fine = say_end(grid, records, console, f"{again(context)} {SEARCH}")
    except DiskFull as error:
        say(console, f"{error}; finished cells are kept in {results}: make room, then run the same command again", "red")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        ignore("SIGINT", "SIGTERM", "SIGHUP")  # all has ended: who is impatient now must not see Python end
        say(console, f"interrupted; finished cells are kept in {results}, the others go on from there: run it again")
        raise typer.Exit(INTERRUPTED) from None
    if not fine:
        raise typer.Exit(1)


def again(context: typer.Context) -> str:
    """The command as it was given, without the learning rate: what is fixed cannot be searched."""
    words = ["bench", str(context.info_name)]
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        if source is None or source.name != "COMMANDLINE":
            continue  # from the environment, where it still is, or a default
        value = context.params[str(option.name)]
        if isinstance(value, bool):
            words.append((option.opts if value else option.secondary_opts)[0])
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if option.name != "settings" or one.partition("=")[0].strip() != "recipe.learning_rate":
                words += [option.opts[0], str(one)]
    return shlex.join(words)
