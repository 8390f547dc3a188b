"""A head's features, made once for all cells that need the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cache import key
from harness.cache.features import Unstorable, from_columns, to_columns
from harness.cache.table import read_columns, write_columns
from harness.caching import cache_folder, prune, used, write
from harness.heads.base import Feature, Head

HEADS = "harness.heads."


class Encoder:
    """Encodes as the head does, from the cache where it can.

    The features are shared by all cells whose tokeniser, examples, head and settings are equal (see `harness.cache.key`),
    whatever their models and seeds. Heads of other packages encode always, and so do tokenisers whose code comes from a
    model's repository: what their code depends on, nobody knows here.
    """

    def __init__(self, head: Head):
        self.head = head
        known = type(head).__module__.startswith(HEADS) and not head.pretrained.checkpoint.remote_code
        self.folder = cache_folder("encoded") if known else None
        self.known = key.of_head(head) if self.folder else b""

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        """What `head.encode` gives; the head is left as that leaves it."""
        if self.folder is None:
            return self.head.encode(examples, training)
        try:
            path = self.folder / f"{key.of_examples(self.head, self.known, examples, training)}.arrow"
        except key.Unkeyed:
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
        if before.keys() - after.keys() or any(type(value) not in key.PLAIN for value in changed.values()):
            return features  # the head keeps more than plain values, which no file holds
        try:
            columns, layout = to_columns(features, examples)
        except Unstorable:
            return features
        write(path, lambda place: write_columns(place, columns, {"layout": layout, "state": changed}))
        prune(path.parent)
        return features
