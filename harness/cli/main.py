"""The program `bench`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from harness.cli import compare, fetch, leaderboard, lists, plan, recommend, run, show, task_check, task_new
from harness.cli.signals import ignore
from harness.errors import BenchError
from harness.safe_text import plain, redact
from harness.startup import DEBUG, describe_unexpected, prepare_process

# Plain help: to draw boxes around it, typer would load half of rich, which takes longer than all the rest.
PLAIN = {"no_args_is_help": True, "rich_markup_mode": None}
app = typer.Typer(
    **PLAIN,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Which pretrained model should I fine-tune? Trains every model on every task under one protocol and ranks them.",
)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("fetch")(fetch.fetch)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("compare")(compare.compare)
app.command("recommend")(recommend.recommend)
app.command("show")(show.show)
app.command("tasks")(lists.tasks)
app.command("models")(lists.models)
app.command("suites")(lists.suites)
task = typer.Typer(**PLAIN, help="Check a task's data before any training, or write a task file.")
task.command("check")(task_check.check)
task.command("new")(task_new.new)
app.add_typer(task, name="task")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bench {version('bench-harness')}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error that nobody expected.")
    ] = False,
) -> None:
    """What stands before the command."""
    if debug:
        os.environ[DEBUG] = "1"


def main() -> None:
    """Run the command line; what the person can mend is one line on the error output and status 2."""
    try:
        app()
    except BenchError as error:
        for line in redact(str(error)).split("\n"):  # several faults of one request have a line each
            print(f"bench: {plain(line)}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stdout = None  # the reader (head, less) has gone: nothing is left to say, not even at exit
        sys.exit(0)
    except Exception as error:
        if isinstance(error, RuntimeError) and "home directory" in str(error):  # what Path.expanduser says
            print("bench: a path begins with ~, and there is no such home folder; write the path in full", file=sys.stderr)
        else:
            print(f"bench: unexpected {describe_unexpected(error)}", file=sys.stderr)
        sys.exit(2)


def program() -> None:
    """`main` as a process of its own."""
    prepare_process()
    try:
        main()
    finally:
        # All is done and said, and the exit status with it: let Python end in peace.
        ignore("SIGINT", "SIGTERM", "SIGHUP")
