"""Checkpoints on the Hugging Face Hub: resolved to a commit when a run is planned, downloaded when needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import HubError
from harness.hub import no_progress_bars, resolve_commit, with_retries
from harness.model import Checkpoint, Model
from harness.models import checkpoint_files
from harness.models.architectures import architecture_of
from harness.models.checkpoint_files import read_json, read_optional_json
from harness.models.remote_code import architecture_of_code, check_code, runs_code
from harness.models.tokenizer_files import NoVocabulary, check_tokenizer

# Configuration, tokeniser and the weights once: many repositories hold them in five formats, and parts in subfolders.
WEIGHT_FILES = ["model.safetensors", "model-*.safetensors"]
FILES = [*WEIGHT_FILES, "*.json", "*.txt", "*.model", "*.spm", "*.codes", "*.tokenizer", "*.jinja"]
PLAN_FILES = ["config.json", "tokenizer_config.json", "adapter_config.json"]
CODE_FILES = ["*.py"]  # only of a checkpoint whose code is to be run
SUBFOLDERS = ["*/*"]
# The Hub's own bot offers safetensors weights as a pull request to repositories that have none.
CONVERTER, CONVERSION = "SFconvertbot", "Adding `safetensors` variant of this model"


def is_hub_id(source: str) -> bool:
    """True for `owner/name` with an optional `@revision`."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", source) is not None


def hub_checkpoint(source: str, entry: Model, trust_remote_code: bool = False) -> Checkpoint:
    """Resolve `owner/name[@revision]`; downloads only some JSON files.

    A revision without safetensors weights is replaced by the Hub's conversion of it, if there is one.

    Raises:
        HubError: no such repository or revision, no access to it, no weights that may be loaded, or no network and nothing
            in the cache.
        BenchError: it needs Python code from the repository, and `trust_remote_code` is not set.
    """
    repo, _, revision = source.partition("@")
    commit = _commit(repo, revision or None, source)
    with no_progress_bars():
        folder, files = _snapshot(repo, commit, PLAN_FILES, source)
        _check_whole_model(folder, files, source)
        if files and not any(name.endswith(".safetensors") for name in files):
            commit = _commit(repo, _conversion(repo, source), source)
            folder, files = _snapshot(repo, commit, PLAN_FILES, source)
    config = read_json(folder / "config.json", entry.name)
    checkpoint_files.check_quantised(config, entry.name)
    architecture, fast, code = inspect_files(folder, config, files, entry, trust_remote_code)
    return Checkpoint(
        name=entry.name, source=source, location=repo, revision=commit, gguf=None, digest=commit,
        architecture=architecture, fast_tokenizer=fast, remote_code=commit if code else "",
    )  # fmt: skip


def inspect_files(
    folder: Path, config: Mapping[str, Any], files: set[str], entry: Model, trusted: bool
) -> tuple[str, bool, bool]:
    """A checkpoint's architecture, whether its tokeniser is fast, and whether loading it runs Python code from its repository.

    Args:
        folder: holds `tokenizer_config.json`, if there is one.
        config: contents of `config.json`.
        files: names of all files; empty: unknown.
        trusted: the value of `--trust-remote-code`.
    """
    code = runs_code(config, entry.name, trusted)
    architecture = entry.architecture or (code and architecture_of_code(config)) or architecture_of(config, entry.name)
    tokenizer_config = read_optional_json(folder / "tokenizer_config.json", entry.name)
    return architecture, check_tokenizer(config, tokenizer_config, files, entry.name, code), code


def _check_whole_model(folder: Path, files: set[str], source: str) -> None:
    names = files or {file.name for file in folder.iterdir()}
    checkpoint_files.check_adapter(names, read_optional_json(folder / "adapter_config.json", source), f"model {source!r}")
    if not (folder / "config.json").is_file():
        raise HubError(
            checkpoint_files.missing_file(names, None, f"model {source!r}")
            or f"model {source!r} has no config.json, so it is no checkpoint of transformers; check the name"
        )


def fetch_checkpoint(checkpoint: Checkpoint) -> Path:
    """Download what a checkpoint of the Hub needs to be loaded, if it is not cached; return its folder in the cache.

    Raises:
        HubError: the download fails, or has no tokeniser.
        BenchError: the weights are not safetensors, or code to be run lies elsewhere.
    """
    patterns = FILES + (CODE_FILES if checkpoint.remote_code else [])
    folder, _ = _snapshot(checkpoint.location, str(checkpoint.revision), patterns, checkpoint.source)
    name = checkpoint.name
    config = read_json(folder / "config.json", name)
    names = checkpoint_files.weight_names(folder, config, name)
    if not all((folder / file).is_file() for file in names):
        raise HubError(
            f"model {checkpoint.source!r}: its weights are not complete in the cache; run `bench fetch` with a network",
            True,
        )
    checkpoint_files.check_weights(folder, names, name)
    if checkpoint.remote_code:
        check_code(folder, name)
    tokenizer_config = read_optional_json(folder / "tokenizer_config.json", name)
    files = {file.name for file in folder.iterdir()}
    try:
        check_tokenizer(config, tokenizer_config, files, name, bool(checkpoint.remote_code))
    except NoVocabulary as error:
        raise HubError(f"{error}; if only the cache lacks it, run `bench fetch` with a network", True) from error
    return folder


def _commit(repo: str, revision: str | None, source: str) -> str:
    return with_retries(partial(resolve_commit, repo, "model", revision), f"model {source!r}")


def _snapshot(repo: str, commit: str, patterns: list[str], source: str) -> tuple[Path, set[str]]:
    """The folder of a commit with the matching files, and the names of all its files on the Hub (empty: unknown)."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    download = partial(snapshot_download, repo, revision=commit, allow_patterns=patterns, ignore_patterns=SUBFOLDERS)
    folder = Path(with_retries(download, f"model {source!r}"))
    try:
        return folder, {file.path for file in get_cached_repo_tree(repo, revision=commit)}
    except CachedRepoTreeNotFoundError:
        return folder, set()  # the cache was filled by another program, and the Hub cannot be reached


def _conversion(repo: str, source: str) -> str:
    """The revision at which the Hub's bot offers the weights as safetensors."""
    from huggingface_hub import HfApi

    message = (
        f"model {source!r} has no safetensors weights, and no others are loaded; give a revision that has them "
        "(owner/name@refs/pr/N), convert it with model.save_pretrained, or choose another"
    )
    search = partial(
        HfApi().get_repo_discussions, repo, author=CONVERTER, discussion_type="pull_request", discussion_status="open"
    )
    try:
        requests = with_retries(lambda: [one for one in search() if one.title == CONVERSION], f"model {source!r}")
    except HubError as error:
        raise HubError(message, error.temporary) from error
    if not requests:
        raise HubError(message)
    return f"refs/pr/{requests[0].num}"
