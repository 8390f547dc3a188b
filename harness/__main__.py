"""`bench`, and `python -m harness`."""

from harness.startup import prepare_process


def program() -> None:
    """Run the command line as a process of its own."""
    prepare_process()
    from harness.cli.main import program as run  # here: nothing may be imported before the process is prepared

    run()


if __name__ == "__main__":
    program()
