"""The program `bench`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from harness.cli import lists, result_commands, run_commands, task_commands
from harness.errors import BenchError
from harness.safe_text import plain, redact
from harness.startup import DEBUG, describe_unexpected, prepare_process

# Plain help: to draw boxes around it, typer would load half of rich, which takes longer than everything else.
PLAIN = {"no_args_is_help": True, "rich_markup_mode": None}
app = typer.Typer(
    **PLAIN,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Which pretrained model should I fine-tune? Trains every model on every task under one protocol and ranks them.",
)
for command in (
    run_commands.run, run_commands.plan, run_commands.fetch,
    result_commands.leaderboard, result_commands.compare, result_commands.recommend, result_commands.show,
    lists.tasks, lists.models, lists.suites,
):  # fmt: skip
    app.command(command.__name__)(command)
task = typer.Typer(**PLAIN, help="Check a task's data before any training, or write a task file.")
task.command("check")(task_commands.check)
task.command("new")(task_commands.new)
app.add_typer(task, name="task")


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        typer.echo(f"bench {version('bench-harness')}")
        raise typer.Exit()


@app.callback()
def global_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error that nobody expected.")
    ] = False,
) -> None:
    """Read the options before the command."""
    if debug:
        os.environ[DEBUG] = "1"


def main() -> None:
    """Run the command line. A `BenchError` becomes one line on standard error and exit status 2."""
    try:
        app()
    except BenchError as error:
        for line in redact(str(error)).split("\n"):  # several faults of one request have a line each
            print(f"bench: {plain(line)}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stdout = None  # the reader (head, less) has gone: print nothing more, not even at exit
        sys.exit(0)
    except Exception as error:
        if isinstance(error, RuntimeError) and "home directory" in str(error):  # raised by Path.expanduser
            print("bench: a path begins with ~, and there is no such home folder; write the path in full", file=sys.stderr)
        else:
            print(f"bench: unexpected {describe_unexpected(error)}", file=sys.stderr)
        sys.exit(2)


def program() -> None:
    """Run `main` as a process of its own."""
    prepare_process()
    try:
        main()
    finally:
        run_commands.ignore_signals()  # all is done, and a late signal must not change the exit status
