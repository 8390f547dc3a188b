"""`bench fetch`: everything that a run needs from the Hub, brought into the cache."""

from __future__ import annotations

import os
import sys

import typer

from harness.cli import options
from harness.cli.options import make_request
from harness.secrets import redact
from harness.strict_json import dumps


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
    from harness.cli.running import announce, say
    from harness.fetch import fetch_all
    from harness.grouping.costs import count
    from harness.plan import make_plan
    from harness.shown import console as make_console

    if not sys.stderr.isatty():  # read by the clients when they are imported
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    request = make_request(
        models, tasks, suite, methods, seeds, limit, settings, trust_remote_code, columns=columns
    )  # fmt: skip
    made = make_plan(request)
    console = make_console(stderr=as_json, highlight=False)
    announce(made, console)
    got, failed = [], [str(error) for _, error in made.lost]
    for item in fetch_all(made.cells):
        if item.error is not None:
            failed.append(str(item.error))
            say(console, f"failed: {item.error}", "red")
            continue
        got.append(item)
        say(console, f"{item.kind:5}  {item.name}: {_amount(item.files)}, {count(item.bytes)}B")
    files, size = sum(item.files for item in got), sum(item.bytes for item in got)
    say(console, f"in the cache: {len(got)} repositories, {_amount(files)}, {count(size)}B")
    if as_json:
        items = [
            {"kind": i.kind, "name": i.name, "revision": i.revision, "files": i.files, "bytes": i.bytes} for i in got
        ]
        print(
            dumps(
                {
                    "fetched": items,
                    "failed": [redact(line) for line in dict.fromkeys(failed)],
                    "files": files,
                    "bytes": size,
                },
                indent=1,
            )
        )
    if failed:
        raise typer.Exit(1)


def _amount(files: int) -> str:
    return f"{files} file{'s' if files != 1 else ''}"
