"""The error class for mistakes that the person can correct, and the message for unknown names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from harness.safe_text import short

LONGEST = 200  # characters of a name, which may be a path


class BenchError(Exception):
    """A request, file or model that the person can correct.

    The message is one line that names the thing, its value, what is valid and the next step. The command line prints it
    without a traceback and exits with status 2; a worker records it as the cell's error.
    """


class HubError(BenchError):
    """A Hub repository that is not available.

    Args:
        temporary: True if the Hub did not answer, so that the same request may succeed later; False if it refused.
    """

    def __init__(self, message: str, temporary: bool = False):
        super().__init__(message)
        self.temporary = temporary


def unknown(kind: str, name: object, valid: Iterable[object], where: str = "", more: str = "") -> BenchError:
    """Return the error for an unknown name: `where: unknown kind 'name'; did you mean 'x'? valid: …more`.

    At most 30 valid names are listed, in the given order.
    """
    names = [str(one) for one in valid]
    near = nearest(str(name), names)
    hint = f"did you mean {short(near, LONGEST)!r}? " if near else ""
    rest = f" and {len(names) - 30} more" if len(names) > 30 else ""
    prefix = f"{where}: " if where else ""
    listed = ", ".join(short(one, LONGEST) for one in names[:30])
    return BenchError(f"{prefix}unknown {kind} {short(str(name), LONGEST)!r}; {hint}valid: {listed}{rest}{more}")


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the valid name that is most similar, ignoring case; "" if none is similar."""
    by_lower = {one.lower(): one for one in reversed(list(valid))}
    matches = get_close_matches(name.lower(), list(by_lower)[::-1], n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else ""
