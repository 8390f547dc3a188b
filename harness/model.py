"""What is known of a model before it is loaded: its registered entry, and the checkpoint it resolves to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Model:
    """A registered name for a checkpoint, with what its files do not say.

    Attributes:
        name: the name on the command line and on the board.
        source: a Hub id with an optional `@revision`, a folder, a `.gguf` file or `pkg:package/sub/folder`.
        architecture: encoder, decoder or encoder-decoder; None: read from the checkpoint's configuration.
        families: the task families that it is good for; None: all.
        description: one line for `bench models`.
        kind: the family of models that it belongs to, such as BERT.
        parameters: the number of parameters.
        avoid: precisions that it must not run in: `fp32`, `bf16`, `fp16`.
        prefix: the text before each input that it was trained with for translation, with `{source}` and `{target}` for
            the languages' English names. A prefix in the checkpoint's configuration takes precedence.
        max_length: the longest input in tokens, if the checkpoint's configuration does not say it, or says too much.
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
        """Return the fields that prevent known problems with this checkpoint, because its files do not tell them."""
        known = {"families": self.families, "avoid": self.avoid, "prefix": self.prefix, "max_length": self.max_length}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items() if value}


@dataclass(frozen=True)
class Checkpoint:
    """A model reference resolved to exact weights.

    Attributes:
        name: the name on the board.
        source: the reference, without paths of this machine.
        location: a folder, or a Hub id.
        revision: the Hub's commit; None for files.
        gguf: the name of the GGUF file inside `location`, if it is one.
        architecture: encoder, decoder or encoder-decoder.
        digest: of the weights, configuration and tokeniser (files), or the commit; empty if they are not available.
        fast_tokenizer: whether the tokeniser can map tokens back to the text.
        families, avoid, prefix, max_length: as in `Model`.
        kind: as in `Model`; for a model that is not registered it follows from the type in its configuration.
        width, parameters: the size of the hidden states and the number of parameters; None: unknown.
        keep_head: whether training starts from the checkpoint's own head, if its classes are the task's.
        remote_code: the commit or digest of Python code from its repository that loading it runs; empty: none.
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
        """Return everything that decides which numbers the model computes."""
        names = ("prefix", "max_length", "remote_code", "keep_head")
        settings = {name: value for name in names if (value := getattr(self, name))}
        return [self.digest, self.gguf, self.architecture, *([settings] if settings else [])]

    def facts(self) -> dict[str, Any]:
        """Return the part that goes into a record."""
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
