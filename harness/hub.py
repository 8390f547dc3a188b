"""Requests to the Hugging Face Hub: retry where it fails, explain where it refuses.

`huggingface_hub` is imported only when something is requested.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from harness.errors import HubError

T = TypeVar("T")

PAUSES = (0.5, 1, 2, 4, 5, 5, 5, 5)  # seconds before the second, third, ... attempt
PAUSES_WITHOUT_HOST = 2  # if the Hub's host name cannot be resolved there is no network, and waiting does not help
TOO_MANY_REQUESTS = 429
_hopeless = False  # all attempts of an action have failed, and none has succeeded since


def with_retries(action: Callable[[], T], what: str) -> T:
    """Return the action's result; repeat it after a pause if the Hub or the network failed, but not if the Hub refused.

    The clients repeat some requests themselves, but neither a repository's information nor a download. If all attempts
    of one action have failed, the next action gets two, so that a plan with many repositories does not wait for each.

    Args:
        action: requests something from the Hub; repeating it must do no harm.
        what: the requested thing, such as "model 'owner/name@v1'"; for the error.

    Raises:
        HubError: the Hub refused, or all attempts failed.
        Exception: any other error of the action.
    """
    global _hopeless
    for number, pause in enumerate([*PAUSES[: 1 if _hopeless else None], None]):
        try:
            result = action()
        except Exception as error:
            if pause is not None and is_temporary(error) and not (number >= PAUSES_WITHOUT_HOST and is_unknown_host(error)):
                time.sleep(pause)
                continue
            _hopeless = _hopeless or is_temporary(error)
            if is_hub_error(error) and not isinstance(error, HubError):
                raise hub_error(error, what) from error
            raise
        _hopeless = False
        return result
    raise AssertionError("the last attempt returns or raises")


def resolve_commit(repo: str, kind: str, revision: str | None) -> str:
    """Return the commit of a revision (None: the main branch) of a `model` or `dataset`, from the Hub or the cache."""
    from huggingface_hub import constants, resolve_revision

    # Without local_files_only, an offline client warns for each repository.
    return resolve_revision(repo, repo_type=kind, revision=revision, local_files_only=constants.HF_HUB_OFFLINE).resolved


def cached_models() -> list[str]:
    """Return the ids of models whose weights are in the Hub client's cache, in alphabetical order."""
    from huggingface_hub import constants

    folders = Path(constants.HF_HUB_CACHE).glob("models--*")
    complete = (folder for folder in folders if any(folder.glob("snapshots/*/*.safetensors")))
    return sorted(folder.name.removeprefix("models--").replace("--", "/", 1) for folder in complete)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Disable the client's progress bars inside the block."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not were_disabled:
            enable_progress_bars()


def is_temporary(error: BaseException) -> bool:
    """Whether an error or one of its causes is a temporary failure of the Hub: a 5xx status, or a broken connection."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx

    for cause in _causes(error):
        if isinstance(cause, HubError):
            return cause.temporary
        if isinstance(cause, HfHubHTTPError):
            return cause.response.status_code >= 500 or cause.response.status_code == TOO_MANY_REQUESTS
        if isinstance(cause, httpx.TransportError):
            return True
    return False


def is_unknown_host(error: BaseException) -> bool:
    """Whether the Hub's host name could not be resolved."""
    return any(isinstance(cause, socket.gaierror) or "name resolution" in str(cause) for cause in _causes(error))


def is_hub_error(error: BaseException) -> bool:
    """Whether a library's error comes from a refusal of the Hub, or from a missing answer.

    A missing single file does not count: libraries request many files that need not exist.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RevisionResolutionError,
    )

    kinds = (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, RevisionResolutionError)
    causes = [cause for cause in _causes(error) if not isinstance(cause, RemoteEntryNotFoundError)]
    return is_temporary(error) or any(isinstance(cause, kinds) for cause in causes)


def hub_error(error: BaseException, what: str) -> HubError:
    """Translate an error of the clients into a `HubError` that says what to do.

    Args:
        error: raised by `huggingface_hub`, or by a library that uses it.
        what: the requested thing, such as "model 'owner/name@v1'".
    """
    from huggingface_hub import constants, errors

    refusals = {
        errors.GatedRepoError: "is gated: ask for access on its page, then set HF_TOKEN",
        errors.RepositoryNotFoundError: "is not on the Hub (or private: set HF_TOKEN); check the name owner/name",
        errors.RevisionNotFoundError: "has no such revision; give a branch, tag or commit of it",
    }
    for cause in _causes(error):
        for kind, explanation in refusals.items():
            if isinstance(cause, kind):
                return HubError(f"{what} {explanation}")
    if constants.HF_HUB_OFFLINE:
        return HubError(f"{what} is not in the cache, and HF_HUB_OFFLINE is set; run `bench fetch` once with a network")
    root = list(_causes(error))[-1]  # its message is the clearest; those around it are only longer
    reason = (str(root).strip().splitlines() or [""])[0] or type(root).__name__
    return HubError(
        f"{what} cannot be fetched and is not in the cache; check the network, or HF_ENDPOINT, and try again ({reason})",
        temporary=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its cause, the cause of that, ..."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
