"""Encode examples with a head, or load the features from the cache."""

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

from harness.cache.features import Unstorable, from_bytes, to_bytes
from harness.caching import cache_folder, mark_used, prune, write_file
from harness.heads.base import Feature, Head

# Packages, and modules of this project, whose version or source decides the token ids.
LIBRARIES = ("tokenizers", "transformers", "sentencepiece")
CODE = ("harness.heads", "harness.cache", "harness.models.load", "harness.models.language_codes", "harness.languages")
# Fields of a recipe that do not affect the encoding. A field that is missing here counts, so a new field is safe.
WITHOUT_EFFECT = (
    "learning_rate", "batch_size", "micro_batch_size", "eval_batch_size", "epochs", "max_steps", "warmup_ratio",
    "weight_decay", "max_grad_norm", "precision", "evaluations", "patience", "n_best", "max_answer_length", "num_beams",
    "lora_rank", "lora_alpha", "lora_dropout", "lora_targets",
)  # fmt: skip
# Attributes of a tokenizer that do not affect token ids.
TOKENIZER_WITHOUT_EFFECT = ("name_or_path", "chat_template", "response_template", "verbose")
PLAIN = (bool, int, float, str, type(None))
OWN_HEADS = "harness.heads."  # the package whose heads are cached


class CachedEncoder:
    """Encodes examples as a head does, and keeps the features in the cache.

    All cells with equal tokenizers, examples, heads and settings share the features, whatever their models and seeds.
    Heads of other packages and tokenizers with code from a model's repository are never cached, because it is unknown
    what their code depends on.
    """

    def __init__(self, head: Head):
        self.head = head
        cacheable = type(head).__module__.startswith(OWN_HEADS) and not head.pretrained.checkpoint.remote_code
        self.folder = cache_folder("encoded") if cacheable else None
        self.head_digest = digest_of_head(head) if self.folder else b""

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        """Return the features that `head.encode` returns, and leave the head in the same state."""
        if self.folder is None:
            return self.head.encode(examples, training)
        try:
            # Version 2 of marshal gives equal bytes for equal values, whatever objects hold them.
            content = marshal.dumps(list(examples), 2)
        except ValueError:  # the examples hold more than plain values
            return self.head.encode(examples, training)
        digest = hashlib.sha256(self.head_digest)
        digest.update(json.dumps([training, sorted(plain_attributes(self.head).items())], default=repr).encode())
        digest.update(content)
        path = self.folder / f"{digest.hexdigest()}.msgpack"
        features = self._read(path, examples)
        return self._encode_and_write(path, examples, training) if features is None else features

    def _read(self, path: Path, examples: Sequence[Mapping[str, Any]]) -> list[Feature] | None:
        try:
            features, state = from_bytes(path.read_bytes(), examples)
        except (OSError, ValueError):
            return None  # there is no file, or it is damaged and will be replaced
        mark_used(path)
        vars(self.head).update(state)
        return features

    def _encode_and_write(self, path: Path, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        before = dict(vars(self.head))
        features = self.head.encode(examples, training)
        after = vars(self.head)
        changed = {name: value for name, value in after.items() if name not in before or before[name] is not value}
        if before.keys() - after.keys() or any(type(value) not in PLAIN for value in changed.values()):
            return features  # `encode` leaves more than plain values in the head, which a file cannot hold
        try:
            content = to_bytes(features, examples, changed)
        except Unstorable:
            return features
        write_file(path, lambda part: part.write_bytes(content))
        prune(path.parent)
        return features


def plain_attributes(head: Head) -> dict[str, Any]:
    """Return the head's attributes of plain types: what its `encode` may read, and what it may change."""
    return {name: value for name, value in vars(head).items() if type(value) in PLAIN}


def digest_of_head(head: Head) -> bytes:
    """Hash everything that decides the encoding, except the examples and the head's attributes."""
    pretrained = head.pretrained
    recipe = {name: value for name, value in asdict(head.recipe).items() if name not in WITHOUT_EFFECT}
    facts = {
        "code": source_digest(CODE),
        "libraries": {name: version(name) for name in LIBRARIES},
        "head": f"{type(head).__module__}:{type(head).__qualname__}",
        "architecture": pretrained.architecture,
        "positions": pretrained.max_positions,
        "prefixes": [pretrained.checkpoint.prefix, getattr(pretrained.config, "task_specific_params", None)],
        "tokenizer": _tokenizer_facts(head),
        "labels": head.labels,
        "options": dict(head.options),
        "recipe": recipe,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).digest()


def _tokenizer_facts(head: Head) -> Any:
    """Return the tokenizer's content, so that equal tokenizers share; for a slow one, its checkpoint's digest."""
    tokenizer = head.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return head.pretrained.checkpoint.digest
    settings = {
        name: value
        for name, value in vars(tokenizer).items()
        if type(value) in PLAIN and name not in TOKENIZER_WITHOUT_EFFECT and not name.endswith("_file")
    }
    special = {name: str(value) for name, value in tokenizer.special_tokens_map.items()}
    content = hashlib.sha256(_serialized(backend).encode("utf-8", "surrogatepass")).hexdigest()
    return [type(tokenizer).__qualname__, tokenizer.model_input_names, settings, special, content]


def _serialized(backend: Any) -> str:
    """Serialize a fast tokenizer without the truncation and padding of its last call."""
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    content = backend.to_str()
    if truncation:
        backend.enable_truncation(**truncation)
    if padding:
        backend.enable_padding(**padding)
    return content


@cache
def source_digest(names: tuple[str, ...]) -> str:
    """Hash the source code of modules and packages."""
    digest = hashlib.sha256()
    for name in names:
        file = Path(str(import_module(name).__file__))
        for path in sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
