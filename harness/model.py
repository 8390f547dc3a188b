"""What is known of a model before it is loaded: the registered entry and the resolved checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Model:
    """A registered name for a checkpoint, with what its files do not say.

    Attributes:
        name: the alias.
        source: a Hub id with an optional `@revision`, a folder, a `.gguf` file or `pkg:package/sub/folder`.
        architecture: encoder, decoder or encoder-decoder; None: read from the checkpoint's configuration.
        families: the task families that it is good for; None: all.
        description: one line for `bench models`.
        kind: the family of models that it belongs to, such as BERT.
        parameters: its size.
        avoid: precisions that it must not run in, of `fp32`, `bf16`, `fp16`.
        prefix: what it was trained to read before a text that is to be translated, with `{source}` and `{target}` for the
            languages' English names. A checkpoint whose configuration has its own goes by that.
        max_length: the longest input in tokens, where the checkpoint's own configuration does not say it, or says too much.
    """

    name: str
    source: str
    architecture: str | None = None
    families: tuple[str, ...] | None = None
    description: str = ""
    kind: str = ""
    parameters: int | None = None
    avoid: tuple[str, ...] = ()
    prefix: str = ""
    max_length: int | None = None

    def traps(self) -> dict[str, Any]:
        """What goes wrong with this checkpoint unless one knows it: the fields above that say more than its files do."""
        known = {"families": self.families, "avoid": self.avoid, "prefix": self.prefix, "max_length": self.max_length}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items() if value}


@dataclass(frozen=True)
class Checkpoint:
    """A model reference resolved to exact weights.

    Attributes:
        name: what the board shows.
        source: the reference without the machine's paths.
        location: a folder, or a Hub id.
        revision: the Hub's commit, None for files.
        gguf: the name of the GGUF file inside `location`, if it is one.
        architecture: encoder, decoder or encoder-decoder.
        digest: of the weights, configuration and tokeniser (files), or the commit; empty where they cannot be had.
        fast_tokenizer: whether the tokeniser can map tokens back to the text.
        families, avoid, prefix, max_length: as in `Model`.
        kind: as in `Model`; of a model that is not registered, by its type.
        width, parameters: of its hidden states and in all; None: its files do not tell.
        keep_head: whether a head that the checkpoint brings is trained on, where its classes are the task's.
        remote_code: the commit or digest of Python code from its repository that loading it runs; empty: none is run.
    """

    name: str
    source: str
    location: str
    revision: str | None
    gguf: str | None
    architecture: str
    digest: str
    fast_tokenizer: bool = True
    families: tuple[str, ...] | None = None
    kind: str = ""
    avoid: tuple[str, ...] = ()
    prefix: str = ""
    max_length: int | None = None
    remote_code: str = ""
    keep_head: bool = False
    width: int | None = None
    parameters: int | None = None

    def identity(self) -> list[Any]:
        """All that decides which numbers the model computes."""
        known = {"prefix": self.prefix, "max_length": self.max_length, "remote_code": self.remote_code, "keep_head": self.keep_head}
        said = {name: value for name, value in known.items() if value}
        return [self.digest, self.gguf, self.architecture, *([said] if said else [])]

    def facts(self) -> dict[str, Any]:
        """The part that goes into a record."""
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "architecture": self.architecture,
            "digest": self.digest,
            "gguf": self.gguf,
            **({"remote_code": True, "code": self.remote_code} if self.remote_code else {}),
            **({"keep_head": True} if self.keep_head else {}),
        }
