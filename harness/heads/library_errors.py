"""Errors of torch, transformers and tokenizers for what they cannot compute, told apart from running out of memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# By type, never by the text of a message. On a CPU, torch raises a plain RuntimeError when it cannot allocate, which no type
# tells from others: it fails the cell. Far more often the system kills the process first.
OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError)
LOG = logging.getLogger(__name__)
MAX_MESSAGE = 200  # characters


class LibraryError(Exception):
    """A model, layer or tokeniser cannot compute its input; the message is the library's error in one line."""


@contextmanager
def library_errors(action: str = "") -> Iterator[None]:
    """Inside, raise `LibraryError` from the errors that libraries raise for tensors and arguments they cannot work with.

    Out-of-memory errors pass, because they say nothing about the computation; so do the errors of this package.

    Args:
        action: logged with the traceback when it fails; empty: log nothing.
    """
    try:
        yield
    except OUT_OF_MEMORY:  # some of these are RuntimeErrors too
        raise
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        if action:
            LOG.warning("%s failed; falling back", action, exc_info=True)
        text = " ".join(str(error).split())[:MAX_MESSAGE]
        raise LibraryError(f"{type(error).__name__}: {text}" if text else type(error).__name__) from error
