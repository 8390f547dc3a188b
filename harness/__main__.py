"""`bench`, and `python -m harness`."""

from harness.startup import prepare_process


def program() -> None:
    """The command line as a process of its own."""
    prepare_process()
    from harness.cli.main import program as run  # here: nothing is imported before the process is prepared

    run()


if __name__ == "__main__":
    program()
