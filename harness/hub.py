"""Asking the Hugging Face Hub: with patience where it stumbles, in plain words where it refuses.

Nothing of `huggingface_hub` is imported before something is asked.
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

PAUSES = (0.5, 1, 2, 4, 5, 5, 5, 5)  # seconds before the second, the third, ... try
NAMELESS = 2  # pauses where the Hub's name is not even known: there is no network, and waiting will not bring one
BUSY = 429  # too many requests
_hopeless = False  # the Hub has failed an action in all its tries, and none has succeeded since


def with_retries(action: Callable[[], T], what: str) -> T:
    """The action's result, tried again after a pause where the Hub or the way to it failed, not where it refused.

    The clients repeat some requests themselves, but neither a repository's information nor a download. A Hub that has
    failed all tries of one action gets two for the next, so that a plan of many repositories does not wait for each.

    Args:
        action: asks the Hub; doing it again must do no harm.
        what: is asked for, such as "model 'owner/name@v1'"; for the error.

    Raises:
        HubError: the Hub refused, or failed every time.
        Exception: whatever else the action raises.
    """
    global _hopeless
    for number, pause in enumerate([*PAUSES[: 1 if _hopeless else None], None]):
        try:
            result = action()
        except Exception as error:
            if pause is not None and is_temporary(error) and not (number >= NAMELESS and is_unknown_host(error)):
                time.sleep(pause)
                continue
            _hopeless = _hopeless or is_temporary(error)
            if is_hub_error(error) and not isinstance(error, HubError):
                raise hub_error(error, what) from error
            raise
        _hopeless = False
        return result
    raise AssertionError("the last try returns or raises")


def resolve_commit(repo: str, kind: str, revision: str | None) -> str:
    """The commit that a revision (None: the main branch) of a `model` or `dataset` stands for, by the Hub or by the cache."""
    from huggingface_hub import constants, resolve_revision

    # Asked in vain, an offline client warns of each repository.
    return resolve_revision(repo, repo_type=kind, revision=revision, local_files_only=constants.HF_HUB_OFFLINE).resolved


def cached_models() -> list[str]:
    """The ids of models whose weights are in the cache of the Hub's client, in alphabetical order."""
    from huggingface_hub import constants

    folders = Path(constants.HF_HUB_CACHE).glob("models--*")
    whole = (folder for folder in folders if any(folder.glob("snapshots/*/*.safetensors")))
    return sorted(folder.name.removeprefix("models--").replace("--", "/", 1) for folder in whole)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """No progress bars of the clients inside the block."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not were_disabled:
            enable_progress_bars()


def is_temporary(error: BaseException) -> bool:
    """Whether an error, or what caused it, is the Hub's trouble of a moment: a status of 5xx, or a broken connection."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx

    for cause in _chain(error):
        if isinstance(cause, HubError):
            return cause.passing
        if isinstance(cause, HfHubHTTPError):
            return cause.response.status_code >= 500 or cause.response.status_code == BUSY
        if isinstance(cause, httpx.TransportError):
            return True
    return False


def is_unknown_host(error: BaseException) -> bool:
    """Whether the Hub's name could not be looked up."""
    return any(isinstance(cause, socket.gaierror) or "name resolution" in str(cause) for cause in _chain(error))


def is_hub_error(error: BaseException) -> bool:
    """Whether an error of a library comes from a refusal of the Hub, or from the lack of an answer.

    That a single file is not there is the library's affair: it asks for many that need not be.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RevisionResolutionError,
    )

    kinds = (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, RevisionResolutionError)
    causes = [cause for cause in _chain(error) if not isinstance(cause, RemoteEntryNotFoundError)]
    return is_temporary(error) or any(isinstance(cause, kinds) for cause in causes)


def hub_error(error: BaseException, what: str) -> HubError:
    """What an error of the clients means for the person.

    Args:
        error: of `huggingface_hub`, or of a library that met one on its way.
        what: the thing that was asked for, such as "model 'owner/name@v1'".
    """
    from huggingface_hub import constants, errors

    refusals = {
        errors.GatedRepoError: "is gated: ask for access on its page, then set HF_TOKEN",
        errors.RepositoryNotFoundError: "is not on the Hub (or private: set HF_TOKEN); check the name owner/name",
        errors.RevisionNotFoundError: "has no such revision; give a branch, tag or commit of it",
    }
    for cause in _chain(error):
        for kind, words in refusals.items():
            if isinstance(cause, kind):
                return HubError(f"{what} {words}")
    if constants.HF_HUB_OFFLINE:
        return HubError(f"{what} is not in the cache, and HF_HUB_OFFLINE is set; run `bench fetch` once with a network")
    root = list(_chain(error))[-1]  # what the wrappers around it say is longer, not clearer
    reason = (str(root).strip().splitlines() or [""])[0] or type(root).__name__
    return HubError(
        f"{what} cannot be fetched and is not in the cache; check the network, or HF_ENDPOINT, and try again ({reason})",
        passing=True,
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, what caused that, ..."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
