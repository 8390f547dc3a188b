"""GGUF files, unpacked once for all cells.

To read one, transformers creates objects for every word and unpacks every weight, which takes seconds even for a small model,
for each of configuration, tokeniser and weights. A folder written by `save_pretrained` loads in a fraction of that.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import transformers
from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from harness.caching import LIMIT, cache_folder, mark_used, prune, write_folder
from harness.model import Checkpoint
from harness.models.zoo import DECODER, ENCODER_DECODER

LIBRARIES = ("transformers", "tokenizers", "gguf")
GROWTH = 8  # from the usual four bits per weight to fp32
AUTO_CLASSES = {DECODER: transformers.AutoModelForCausalLM, ENCODER_DECODER: transformers.AutoModelForSeq2SeqLM}
SIZES = "sizes.json"  # sizes of a folder's files, written last


def unpacked(checkpoint: Checkpoint) -> Path | None:
    """The folder with a GGUF file's configuration, tokeniser and fp32 weights, created if missing.

    None if there is no cache, or the file is too large for it: then read the file itself.
    """
    gguf = Path(checkpoint.location, str(checkpoint.gguf))
    cache = cache_folder("unpacked")
    if cache is None or gguf.stat().st_size * GROWTH > LIMIT:
        return None
    facts = [checkpoint.digest, checkpoint.architecture, *(version(name) for name in LIBRARIES)]
    folder = cache / hashlib.sha256("\n".join(facts).encode()).hexdigest()
    if folder.is_dir() and not _is_complete(folder):
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.is_dir():  # not `else`: another process may have created it in between
        model, tokenizer = _read(checkpoint)
        write_folder(folder, lambda part: _save(model, tokenizer, part))
        prune(cache)
    mark_used(folder)
    return folder if _is_complete(folder) else None


def dequantise_options() -> dict[str, Any]:
    """Arguments of `from_pretrained` that unpack the weights of a GGUF file, so that they can be trained.

    Without these, weights stay packed where the package `kernels` is installed.
    """
    config_class = getattr(transformers, "GgufConfig", None)
    return {"quantization_config": config_class(dequantize=True)} if config_class else {}


def _read(checkpoint: Checkpoint) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    location = {"pretrained_model_name_or_path": checkpoint.location, "gguf_file": checkpoint.gguf}
    auto_class = AUTO_CLASSES.get(checkpoint.architecture, transformers.AutoModel)
    model = auto_class.from_pretrained(**location, **dequantise_options(), dtype="float32")
    return model, transformers.AutoTokenizer.from_pretrained(**location)


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    # A model from a GGUF file refuses to be saved, although its weights are unpacked.
    model.hf_quantizer = None
    with suppress(AttributeError):
        del model.config.quantization_config
    try:
        model.save_pretrained(folder)
    except SafetensorError as error:  # raised for a full disk, too
        raise OSError(str(error)) from error
    (folder / "generation_config.json").unlink(missing_ok=True)  # GGUF files have none
    tokenizer.save_pretrained(folder)
    (folder / SIZES).write_text(json.dumps(_sizes(folder)), encoding="utf-8")


def _is_complete(folder: Path) -> bool:
    """Whether all files are there in full."""
    try:
        return bool(json.loads((folder / SIZES).read_text(encoding="utf-8")) == _sizes(folder))
    except (OSError, ValueError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir() if file.name != SIZES}
