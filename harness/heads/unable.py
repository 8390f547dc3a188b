"""What a library raises where it cannot compute something, told apart from running out of memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# By type, never by words in a message. A CPU on which torch cannot allocate raises a plain RuntimeError, which no type tells
# from others: it fails the cell. Far more often the system's killer comes first.
OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError)
LOG = logging.getLogger(__name__)
LONGEST = 200  # characters of a message


class Unable(Exception):
    """A model, layer or tokeniser cannot compute what it was given; the message is the library's error in one line."""


@contextmanager
def computing(what: str = "") -> Iterator[None]:
    """Inside, the errors of a library for tensors and arguments that it cannot work with become `Unable`, which is raised from them.

    Running out of memory stays what it is, for it says nothing of what was computed; so does every error of this package.

    Args:
        what: is tried, for the log, which gets the traceback; empty: nothing is logged.
    """
    try:
        yield
    except OUT_OF_MEMORY:  # some of it is a RuntimeError too
        raise
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        if what:
            LOG.warning("%s failed; another way is taken", what, exc_info=True)
        text = " ".join(str(error).split())[:LONGEST]
        raise Unable(f"{type(error).__name__}: {text}" if text else type(error).__name__) from error
