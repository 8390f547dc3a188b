"""The cells that a calibration runs: very small models with random weights, and texts of random words."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from harness.estimate.sizes import READS, WRITES
from harness.family import Row, TaskFamily
from harness.models.shape import Shape
from harness.task import Task

WORDS = 120
LARGE = 256  # the width above which a model's products are those of large matrices
BASE = "bert reads"  # what every model's time is told from, beside its own kind


@dataclass(frozen=True)
class Trial:
    """One cell: a model's size, and batches of `rows` rows of about `words` words. `steps` of training, a validation
    and a test of `read` rows each are measured."""

    kind: str
    head: str
    width: int
    layers: int
    vocabulary: int
    rows: int
    words: int
    steps: int = 4
    heads: int = 4
    dropout: float = 0.1
    read: int = 64

    @property
    def limit(self) -> int:
        """Tokens that are read and written at most."""
        return 2 * self.words

    @property
    def kind_of_model(self) -> str:
        """Of which kind of model it tells, as `kinds_of` names them."""
        return _kind(self.kind, self.head == WRITES, self.width > LARGE)

    @property
    def name(self) -> str:
        """What its measurement is kept under."""
        return " ".join(map(str, (self.kind_of_model, *(getattr(self, field.name) for field in fields(self)[2:]))))

    @property
    def short(self) -> Trial:
        """The same model on fewer rows."""
        return replace(self, steps=max(1, self.steps // 2), read=max(8, self.read // 4))


def _kind(model: str, writes: bool, large: bool) -> str:
    return f"{'large ' * large}{model} {'writes' if writes else 'reads'}"


def kinds_of(shape: Shape, architecture: str, head: str) -> set[str]:
    """The kinds of models that tell how long a cell takes. Of large GPT-2s and T5s there is no trial: their products
    are BERT's, and the rest is told by small ones."""
    own = {"encoder": "bert", "encoder-decoder": "t5"}.get(architecture, "llama" if shape.rotates else "gpt2")
    models = {"bert", own} | ({"llama"} if shape.rotates else set())
    found = {_kind(model, False, large) for model in models for large in {False, shape.width > LARGE}}
    if head == WRITES:
        found |= {_kind(own, True, False)} | ({_kind("bert", True, True)} if shape.width > LARGE else set())
    return found & {trial.kind_of_model for trial in TRIALS}


def trials_for(kinds: Collection[str]) -> list[Trial]:
    """The trials that tell of these kinds of models."""
    return [trial for trial in TRIALS if trial.kind_of_model in kinds]


# Of the sizes that real models have, but for their number of layers: what a small product takes tells little of a large
# one. Each of the things that a cell's time is a sum of is a large part of one of them at least, else it could not be
# told from the others. The most telling come first, for a slow machine does not come to the last.
TRIALS = (
    Trial("bert", READS, 128, 3, 1000, 16, 14, steps=16, read=256),
    Trial("bert", READS, 64, 4, 1000, 16, 160, steps=3, heads=8),
    Trial("bert", READS, 128, 3, 1000, 32, 60, steps=4),
    Trial("gpt2", READS, 128, 3, 1000, 32, 60, steps=4),
    Trial("llama", READS, 64, 4, 500, 16, 160, steps=3, heads=8),
    Trial("t5", READS, 128, 2, 1000, 16, 60, steps=5),
    Trial("bert", WRITES, 128, 2, 1000, 16, 14, steps=8, read=64),
    Trial("gpt2", WRITES, 128, 2, 8000, 16, 14, steps=8, read=128),
    Trial("llama", WRITES, 64, 4, 500, 32, 40, steps=4, heads=8),
    Trial("t5", WRITES, 128, 2, 1000, 16, 14, steps=8, read=128),
    Trial("llama", READS, 64, 4, 500, 32, 20, steps=8, heads=8, read=256),
    Trial("bert", READS, 384, 3, 30_000, 32, 28, steps=4, heads=12),
    Trial("bert", READS, 384, 2, 30_000, 8, 200, steps=2, heads=12, read=32),
    Trial("bert", READS, 768, 2, 30_000, 32, 28, steps=2, heads=12),
    Trial("llama", READS, 768, 2, 30_000, 16, 40, steps=2, heads=12, dropout=0.0),
    Trial("bert", WRITES, 384, 2, 30_000, 16, 20, steps=2, heads=12, read=32),
)
ARCHITECTURES = {"bert": "encoder", "gpt2": "decoder", "llama": "decoder", "t5": "encoder-decoder"}


class Rehearsal(TaskFamily):
    """Texts of random words; nothing can be learnt from them."""

    columns = {"text": "words", "label": "one of two", "target": "words"}
    inputs = ("text",)
    primary_metric = "accuracy"

    def __init__(self, head: str):
        self.head = head
        self.name = "rehearsal-" + head.rpartition(":")[2]

    def labels(self, splits: Mapping[str, Sequence[Row]], task: Task) -> list[str] | None:
        return None if self.head == WRITES else ["a", "b"]

    def texts(self, row: Row) -> dict[str, str | Sequence[str]]:
        return {name: row[name] for name in ("text", "target") if name == "text" or self.head == WRITES}

    def example(self, row: Row, task: Task) -> dict[str, Any]:
        return {**row, "source": row["text"], "text_pair": None}

    def reference(self, row: Row, task: Task) -> str:
        return row["target"] if self.head == WRITES else row["label"]

    def score(self, predictions: Sequence[Any], references: Sequence[Any], task: Task) -> dict[str, Any]:
        return {"accuracy": statistics.fmean(map(str.__eq__, predictions, references))}

    def trivial(self, train: Sequence[Row], rows: Sequence[Row], task: Task) -> list[str]:
        return ["a"] * len(rows)


def rows(trial: Trial, seed: int) -> Callable[[], dict[str, list[Row]]]:
    """A function that makes the splits: texts of half to one and a half times the trial's words, so that padding is
    as usual."""

    def generate() -> dict[str, list[Row]]:
        chance = random.Random(f"{trial.words}/{seed}")

        def text() -> str:
            count = chance.randint(trial.words // 2, trial.words * 3 // 2)
            return " ".join(f"w{chance.randrange(WORDS)}" for _ in range(count))

        counts = {"train": trial.rows * trial.steps, "validation": trial.read, "test": trial.read}
        return {
            split: [{"text": text(), "target": text(), "label": "ab"[number % 2]} for number in range(count)]
            for split, count in counts.items()
        }

    return generate


def make_checkpoint(trial: Trial, folder: Path) -> dict[str, Any]:
    """A folder with a configuration and a tokeniser; the weights are drawn when the model is built. Gives the
    configuration."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoConfig, PreTrainedTokenizerFast

    special = ["<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(
        models.WordLevel(
            {word: number for number, word in enumerate([*special, *(f"w{n}" for n in range(WORDS))])}, "<unk>"
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "cls_token": "</s>", "sep_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    common = {"vocab_size": trial.vocabulary, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 1}
    sized = {
        "bert": {
            "hidden_size": trial.width, "num_hidden_layers": trial.layers, "num_attention_heads": trial.heads,
            "intermediate_size": 4 * trial.width, "hidden_dropout_prob": trial.dropout,
            "attention_probs_dropout_prob": trial.dropout,
        },
        "gpt2": {"n_embd": trial.width, "n_layer": trial.layers, "n_head": trial.heads, "n_positions": 512,
            "attn_pdrop": trial.dropout, "embd_pdrop": trial.dropout, "resid_pdrop": trial.dropout,
        },
        "llama": {
            "hidden_size": trial.width, "num_hidden_layers": trial.layers, "num_attention_heads": trial.heads,
            "num_key_value_heads": trial.heads // 2, "intermediate_size": 3 * trial.width,
        },
        "t5": {
            "d_model": trial.width, "num_layers": trial.layers, "num_heads": trial.heads, "d_kv": trial.width // trial.heads, "d_ff": 4 * trial.width,
            "decoder_start_token_id": 0, "dropout_rate": trial.dropout,
        },
    }[trial.kind]  # fmt: skip
    config = AutoConfig.for_model(trial.kind, **common, **sized)
    config.save_pretrained(folder)
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))
