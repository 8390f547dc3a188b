"""The last thing that the fork server loads: what every cell would do first, done once.

Importing it starts no thread and computes nothing with torch, so that what is forked later finds no lock held.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from types import TracebackType

from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)
from transformers.conversion_mapping import get_checkpoint_conversion_mapping
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING

from harness import registry

# The commonest, and what is loaded for warm-started decoders. Others are imported by the cells that need them.
KINDS = ("bert", "distilbert", "roberta", "gpt2", "llama", "t5", "encoder-decoder")
AUTO = (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)


def warm() -> None:
    """Import the usual models and let the library fill its tables."""
    for kind in KINDS:
        config = CONFIG_MAPPING[kind]
        TOKENIZER_MAPPING.get(config, None)
        for auto in AUTO:
            auto._model_mapping.get(config, None)
        get_checkpoint_conversion_mapping(kind)
    with suppress(Exception):  # of a plugin: a cell that needs it meets the error again, and keeps it in its record
        registry.families()
    # Objects that live as long as the server need not be looked through, and so copied, by every cell's collector.
    gc.collect()
    gc.freeze()


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that ends a process before it has its task; not that there is none, for its parent ended meanwhile."""
    if not issubclass(kind, EOFError):
        sys.__excepthook__(kind, error, trace)


warm()
sys.excepthook = _tell  # what a task raises goes another way
