"""What signals mean to the program."""

from __future__ import annotations

import signal
from typing import Any


def interrupt_at(*names: str) -> None:
    """Let signals do what Ctrl-C does."""
    _handle(signal.default_int_handler, *names)


def ignore(*names: str) -> None:
    """Let signals do nothing."""
    _handle(signal.SIG_IGN, *names)


def _handle(handler: Any, *names: str) -> None:
    """Set the handler of signals that this system has and that are not ignored, as under nohup."""
    for name in names:
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)
