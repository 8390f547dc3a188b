"""Checkpoints on the Hugging Face Hub: found at plan time, with the commit that a revision means today."""

from __future__ import annotations

import json
import re

from harness.errors import BenchError
from harness.model import Checkpoint, Model
from harness.models.architectures import SLOW_TOKENIZERS, architecture_of


def is_hub_id(source: str) -> bool:
    """True for `owner/name` with an optional `@revision`."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", source) is not None


def hub_checkpoint(source: str, entry: Model) -> Checkpoint:
    """The checkpoint `owner/name[@revision]`; downloads its `config.json` only.

    Raises:
        BenchError: no such repository or revision, no access to it, or no network and nothing in the cache.
    """
    from huggingface_hub import hf_hub_download, resolve_revision
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo, _, revision = source.partition("@")
    try:
        commit = resolve_revision(repo, revision=revision or None).resolved
        config_file = hf_hub_download(repo, "config.json", revision=commit)
    except GatedRepoError:
        raise BenchError(f"model {source!r} is gated: ask for access on its page, then set HF_TOKEN") from None
    except RevisionNotFoundError:
        raise BenchError(f"model {repo!r} has no revision {revision!r}; give a branch, tag or commit of it") from None
    except RepositoryNotFoundError:
        raise BenchError(
            f"model {source!r} is not on the Hub (or private: set HF_TOKEN); check the name owner/name"
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BenchError(
            f"model {source!r} could not be fetched ({reason}); check the network, or use a local folder"
        ) from error
    with open(config_file, encoding="utf-8") as file:
        config = json.load(file)
    return Checkpoint(
        name=entry.name, source=source, location=repo, revision=commit, gguf=None, digest=commit,
        architecture=entry.architecture or architecture_of(config, entry.name),
        fast_tokenizer=config.get("model_type") not in SLOW_TOKENIZERS,
    )  # fmt: skip
