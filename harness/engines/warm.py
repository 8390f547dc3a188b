"""The last module that the fork server loads: it does once what every cell would do first.

Importing it starts no thread and computes nothing with torch, so that no lock is held when the server forks.
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

# The most common model types, and the one of warm-started decoders. Cells import all others themselves.
MODEL_TYPES = ("bert", "distilbert", "roberta", "gpt2", "llama", "t5", "encoder-decoder")
AUTO_CLASSES = (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)


def warm_up() -> None:
    """Import the most common models, and let transformers fill its tables."""
    for model_type in MODEL_TYPES:
        config = CONFIG_MAPPING[model_type]
        TOKENIZER_MAPPING.get(config, None)
        for auto_class in AUTO_CLASSES:
            auto_class._model_mapping.get(config, None)
        get_checkpoint_conversion_mapping(model_type)
    with suppress(Exception):  # of a plugin: a cell that needs it meets the error again and records it
        registry.families()
    # Objects that live as long as the server need not be traversed, and so copied, by every cell's garbage collector.
    gc.collect()
    gc.freeze()


def _hide_eof(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that ends a process before it has received its task, unless its parent has simply ended."""
    if not issubclass(kind, EOFError):
        sys.__excepthook__(kind, error, trace)


warm_up()
sys.excepthook = _hide_eof  # errors of a task itself are handled by multiprocessing
