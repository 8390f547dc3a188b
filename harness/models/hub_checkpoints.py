"""Checkpoints on the Hugging Face Hub: found at plan time, with the commit that a revision means today; fetched when needed."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import HubError
from harness.hub import no_progress_bars, resolve_commit, with_retries
from harness.model import Checkpoint, Model
from harness.models.architectures import architecture_of
from harness.models.code import architecture_of_code, check_code, runs_code
from harness.models.not_quite import check_adapter, check_quantised, nothing_here
from harness.models.tokenizer_files import NoVocabulary, check_tokenizer
from harness.models.weights import check_weights, read_json, weight_names

# Configuration, tokeniser and the weights once: many repositories hold them in five formats, and parts in subfolders.
FILES = [
    "*.json",
    "model.safetensors",
    "model-*.safetensors",
    "*.txt",
    "*.model",
    "*.spm",
    "*.codes",
    "*.tokenizer",
    "*.jinja",
]
TOLD = ["config.json", "tokenizer_config.json", "adapter_config.json"]  # what is looked at when a run is planned
CODE = ["*.py"]  # only of a checkpoint whose code is to be run
SUBFOLDERS = ["*/*"]
# The Hub's own bot offers safetensors weights as a pull request to repositories that have none.
CONVERTER, CONVERSION = "SFconvertbot", "Adding `safetensors` variant of this model"


def is_hub_id(source: str) -> bool:
    """True for `owner/name` with an optional `@revision`."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", source) is not None


def hub_checkpoint(source: str, entry: Model, trust_remote_code: bool = False) -> Checkpoint:
    """The checkpoint `owner/name[@revision]`; downloads no more of it than some JSON files.

    A revision without safetensors weights is replaced by the Hub's conversion of it, if there is one.

    Raises:
        HubError: no such repository or revision, no access to it, no weights that may be loaded, or no network and nothing
            in the cache.
        BenchError: it needs Python code from the repository, and `trust_remote_code` is not set.
    """
    repo, _, revision = source.partition("@")
    commit = _commit(repo, revision or None, source)
    with no_progress_bars():
        folder, files = _snapshot(repo, commit, TOLD, source)
        _check_kind(folder, files, source)
        if files and not any(name.endswith(".safetensors") for name in files):
            commit = _commit(repo, _conversion(repo, source), source)
            folder, files = _snapshot(repo, commit, TOLD, source)
    config = read_json(folder / "config.json", entry.name)
    check_quantised(config, entry.name)
    code = runs_code(config, entry.name, trust_remote_code)
    kind = entry.architecture or (code and architecture_of_code(config)) or architecture_of(config, entry.name)
    return Checkpoint(
        name=entry.name, source=source, location=repo, revision=commit, gguf=None, digest=commit, architecture=kind,
        fast_tokenizer=check_tokenizer(config, _told(folder, entry.name), files, entry.name, bool(code)), remote_code=commit if code else "",
    )  # fmt: skip


def _check_kind(folder: Path, files: set[str], source: str) -> None:
    """Make sure that a repository is a whole model of transformers.

    Raises:
        BenchError: it holds an adapter.
        HubError: it has no config.json.
    """
    there = files or {file.name for file in folder.iterdir()}
    adapter = read_json(folder / "adapter_config.json", source) if (folder / "adapter_config.json").is_file() else {}
    check_adapter(there, adapter, f"model {source!r}")
    if not (folder / "config.json").is_file():
        raise HubError(
            nothing_here(there, None, f"model {source!r}")
            or f"model {source!r} has no config.json, so it is no checkpoint of transformers; check the name"
        )


def fetch_checkpoint(checkpoint: Checkpoint) -> Path:
    """The folder in the cache with all that a checkpoint of the Hub needs to be loaded; what is missing is downloaded.

    Raises:
        HubError: the files cannot be had, or there is no tokeniser among them.
        BenchError: the weights are not safetensors, or code that is to be run stands elsewhere.
    """
    patterns = FILES + (CODE if checkpoint.remote_code else [])
    folder, _ = _snapshot(checkpoint.location, str(checkpoint.revision), patterns, checkpoint.source)
    name = checkpoint.name
    names = weight_names(folder, read_json(folder / "config.json", name), name)
    if not all((folder / part).is_file() for part in names):
        raise HubError(
            f"model {checkpoint.source!r}: its weights are not complete in the cache; run `bench fetch` with a network",
            True,
        )
    check_weights(folder, names, name)
    if checkpoint.remote_code:
        check_code(folder, name)
    config = read_json(folder / "config.json", name)
    files = {file.name for file in folder.iterdir()}
    try:
        check_tokenizer(config, _told(folder, name), files, name, bool(checkpoint.remote_code))
    except NoVocabulary as error:
        raise HubError(f"{error}; if only the cache lacks it, run `bench fetch` with a network", True) from error
    return folder


def _told(folder: Path, name: str) -> dict[str, Any]:
    """What `tokenizer_config.json` says, if there is one."""
    path = folder / "tokenizer_config.json"
    return read_json(path, name) if path.is_file() else {}


def _commit(repo: str, revision: str | None, source: str) -> str:
    return with_retries(partial(resolve_commit, repo, "model", revision), f"model {source!r}")


def _snapshot(repo: str, commit: str, patterns: list[str], source: str) -> tuple[Path, set[str]]:
    """The folder of a commit with the files that match, and the names of all that it has on the Hub (empty: unknown)."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    download = partial(snapshot_download, repo, revision=commit, allow_patterns=patterns, ignore_patterns=SUBFOLDERS)
    folder = Path(with_retries(download, f"model {source!r}"))
    try:
        return folder, {file.path for file in get_cached_repo_tree(repo, revision=commit)}
    except CachedRepoTreeNotFoundError:
        return folder, set()  # a cache that another program made, and no Hub to ask


def _conversion(repo: str, source: str) -> str:
    """The revision at which the Hub's bot offers the weights as safetensors."""
    from huggingface_hub import HfApi

    none = (
        f"model {source!r} has no safetensors weights, and no others are loaded; give a revision that has them "
        "(owner/name@refs/pr/N), convert it with model.save_pretrained, or choose another"
    )
    search = partial(
        HfApi().get_repo_discussions, repo, author=CONVERTER, discussion_type="pull_request", discussion_status="open"
    )
    try:
        found = with_retries(lambda: [one for one in search() if one.title == CONVERSION], f"model {source!r}")
    except HubError as error:
        raise HubError(none, error.temporary) from error
    if not found:
        raise HubError(none)
    return f"refs/pr/{found[0].num}"
