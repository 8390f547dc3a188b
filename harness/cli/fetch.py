"""`bench fetch`: everything that a run needs from the Hub, brought into the cache."""

from __future__ import annotations

import os
import sys

import typer

from harness.cli import options
from harness.files import dump_json


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

    if not sys.stderr.isatty():  # read by the clients when they are imported
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    request = read_request(
        models, tasks, suite=suite, methods=methods, seeds=seeds, columns=columns, limit=limit, settings=settings,
        trust_remote_code=trust_remote_code, baselines=False,
    )  # fmt: skip
    found = fetch_request(request, make_console(stderr=as_json, highlight=False))
    if as_json:
        print(dump_json(found, indent=1))
    if found["failed"]:
        raise typer.Exit(1)
