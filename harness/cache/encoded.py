"""A head's features, made once for all cells that need the same."""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.cache.features import Unstorable, from_columns, read_columns, to_columns, write_columns
from harness.caching import cache_folder, prune, used, write
from harness.heads.base import Feature, Head

# What decides the token ids of examples, as one hash.


LIBRARIES = ("tokenizers", "transformers", "sentencepiece")
CODE = ("harness.heads", "harness.cache", "harness.models.load", "harness.models.language_codes", "harness.languages")  # a change here makes new files
# Fields of a recipe that no encoding depends on. One that is not named here counts, so a new field is safe.
WITHOUT_EFFECT = (
    "learning_rate", "batch_size", "micro_batch_size", "eval_batch_size", "epochs", "max_steps", "warmup_ratio",
    "weight_decay", "max_grad_norm", "precision", "evaluations", "patience", "n_best", "max_answer_length", "num_beams",
    "lora_rank", "lora_alpha", "lora_dropout", "lora_targets",
)  # fmt: skip
NAMES = ("name_or_path", "chat_template", "response_template", "verbose")  # of a tokeniser: of no effect on ids
PLAIN = (bool, int, float, str, type(None))


class Unkeyed(Exception):
    """Examples that hold more than plain values: what they are cannot be told by a hash."""


def state(head: Head) -> dict[str, Any]:
    """The head's own attributes of plain types: what its `encode` may read, and what it may leave behind."""
    return {name: value for name, value in vars(head).items() if type(value) in PLAIN}


def of_head(head: Head) -> bytes:
    """All that decides the encoding beside the examples and the head's state."""
    pretrained = head.pretrained
    recipe = {name: value for name, value in asdict(head.recipe).items() if name not in WITHOUT_EFFECT}
    facts = {
        "code": sources(CODE),
        "libraries": {name: version(name) for name in LIBRARIES},
        "head": f"{type(head).__module__}:{type(head).__qualname__}",
        "architecture": pretrained.architecture,
        "positions": pretrained.max_positions,
        "prefixes": [pretrained.checkpoint.prefix, getattr(pretrained.config, "task_specific_params", None)],
        "tokeniser": _tokeniser(head),
        "labels": head.labels,
        "options": dict(head.options),
        "recipe": recipe,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).digest()


def of_examples(head: Head, known: bytes, examples: Sequence[Mapping[str, Any]], training: bool) -> str:
    """The name of what the head makes of these examples.

    Args:
        known: `of_head`.

    Raises:
        Unkeyed: there is something in the examples that has no plain value.
    """
    try:
        content = marshal.dumps(
            list(examples), 2
        )  # version 2: equal values give equal bytes, whatever objects hold them
    except ValueError:
        raise Unkeyed from None
    total = hashlib.sha256(known)
    total.update(json.dumps([training, sorted(state(head).items())], default=repr).encode())
    total.update(content)
    return total.hexdigest()


def _tokeniser(head: Head) -> Any:
    """Its content, so that models with equal tokenisers share; a slow one is told by its checkpoint."""
    tokenizer = head.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return head.pretrained.checkpoint.digest
    settings = {
        name: value
        for name, value in vars(tokenizer).items()
        if type(value) in PLAIN and name not in NAMES and not name.endswith("_file")
    }
    special = {name: str(value) for name, value in tokenizer.special_tokens_map.items()}
    content = hashlib.sha256(_content(backend).encode("utf-8", "surrogatepass")).hexdigest()
    return [type(tokenizer).__qualname__, tokenizer.model_input_names, settings, special, content]


def _content(backend: Any) -> str:
    """The tokeniser as JSON, without how the last call of it cut and padded."""
    cutting, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    content = backend.to_str()
    if cutting:
        backend.enable_truncation(**cutting)
    if padding:
        backend.enable_padding(**padding)
    return content


@cache
def sources(names: tuple[str, ...]) -> str:
    """A hash of the sources of these modules and packages."""
    total = hashlib.sha256()
    for name in names:
        place = Path(str(import_module(name).__file__))
        for path in sorted(place.parent.glob("*.py")) if place.name == "__init__.py" else [place]:
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


# A head's features, made once for all cells that need the same.


HEADS = "harness.heads."


class Encoder:
    """Encodes as the head does, from the cache where it can.

    The features are shared by all cells whose tokeniser, examples, head and settings are equal (see `harness.cache.encoded`),
    whatever their models and seeds. Heads of other packages encode always, and so do tokenisers whose code comes from a
    model's repository: what their code depends on, nobody knows here.
    """

    def __init__(self, head: Head):
        self.head = head
        known = type(head).__module__.startswith(HEADS) and not head.pretrained.checkpoint.remote_code
        self.folder = cache_folder("encoded") if known else None
        self.known = of_head(head) if self.folder else b""

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        """What `head.encode` gives; the head is left as that leaves it."""
        if self.folder is None:
            return self.head.encode(examples, training)
        try:
            path = self.folder / f"{of_examples(self.head, self.known, examples, training)}.arrow"
        except Unkeyed:
            return self.head.encode(examples, training)
        features = self._read(path, examples)
        if features is None:
            features = self._make(path, examples, training)
        return features

    def _read(self, path: Path, examples: Sequence[Mapping[str, Any]]) -> list[Feature] | None:
        try:
            columns, facts = read_columns(path)
        except (OSError, ValueError):
            return None  # there is none, or it is damaged: it is made anew
        used(path)
        vars(self.head).update(facts["state"])
        return from_columns(columns, facts["layout"], examples)

    def _make(self, path: Path, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        before = dict(vars(self.head))
        features = self.head.encode(examples, training)
        after = vars(self.head)
        changed = {name: value for name, value in after.items() if name not in before or before[name] is not value}
        if before.keys() - after.keys() or any(type(value) not in PLAIN for value in changed.values()):
            return features  # the head keeps more than plain values, which no file holds
        try:
            columns, layout = to_columns(features, examples)
        except Unstorable:
            return features
        write(path, lambda place: write_columns(place, columns, {"layout": layout, "state": changed}))
        prune(path.parent)
        return features
