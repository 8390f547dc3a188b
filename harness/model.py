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
    """

    name: str
    source: str
    architecture: str | None = None
    families: tuple[str, ...] | None = None
    description: str = ""


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
        digest: of the weights, configuration and tokeniser (files), or the commit.
        fast_tokenizer: whether the tokeniser can map tokens back to the text.
        families: as in `Model`.
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

    def facts(self) -> dict[str, Any]:
        """The part that goes into a record."""
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "architecture": self.architecture,
            "digest": self.digest,
            "gguf": self.gguf,
        }
