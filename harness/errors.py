"""The one error class for what the person can mend."""


class BenchError(Exception):
    """A request, file or model that the person can put right.

    The message is one line that names the thing, the value, what is valid and the next step. The command line prints it
    without a traceback and exits with status 2; a worker records it as the cell's error.
    """
