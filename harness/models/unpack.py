"""GGUF files, unpacked once for all cells.

To read one, transformers makes objects of every word and unpacks every weight: seconds for a small model, in each of
configuration, tokeniser and weights. A folder as `save_pretrained` writes it is read in a fraction of that.
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
from harness.models.zoo import BOTH, DECODER

LIBRARIES = ("transformers", "tokenizers", "gguf")
GROWTH = 8  # fp32 for the four bits a weight of the usual files
CLASSES = {DECODER: transformers.AutoModelForCausalLM, BOTH: transformers.AutoModelForSeq2SeqLM}
SIZES = "sizes.json"  # of a folder's files, written last


def unpacked(checkpoint: Checkpoint) -> Path | None:
    """The folder of a GGUF file's configuration, tokeniser and fp32 weights, made when there is none.

    None where there is no cache, or it is too small for it: then the file itself is to be read.
    """
    packed = Path(checkpoint.location, str(checkpoint.gguf))
    folder = cache_folder("unpacked")
    if folder is None or packed.stat().st_size * GROWTH > LIMIT:
        return None
    facts = [checkpoint.digest, checkpoint.architecture, *(version(name) for name in LIBRARIES)]
    place = folder / hashlib.sha256("\n".join(facts).encode()).hexdigest()
    if place.is_dir() and not _is_whole(place):
        shutil.rmtree(place, ignore_errors=True)
    if not place.is_dir():  # not "not whole": another process may have made it in between
        model, tokenizer = _read(checkpoint)
        write_folder(place, lambda part: _save(model, tokenizer, part))
        prune(folder)
    mark_used(place)
    return place if _is_whole(place) else None


def dense() -> dict[str, Any]:
    """What `from_pretrained` is to be told so that weights of a GGUF file can be trained.

    By itself it leaves them packed where the package `kernels` is installed.
    """
    kind = getattr(transformers, "GgufConfig", None)
    return {"quantization_config": kind(dequantize=True)} if kind else {}


def _read(checkpoint: Checkpoint) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    where = {"pretrained_model_name_or_path": checkpoint.location, "gguf_file": checkpoint.gguf}
    kind = CLASSES.get(checkpoint.architecture, transformers.AutoModel)
    model = kind.from_pretrained(**where, **dense(), dtype="float32")
    return model, transformers.AutoTokenizer.from_pretrained(**where)


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, place: Path) -> None:
    # A model of a packed file refuses to be saved, though it holds plain weights.
    model.hf_quantizer = None
    with suppress(AttributeError):
        del model.config.quantization_config
    try:
        model.save_pretrained(place)
    except SafetensorError as error:  # what it says of a full disk, too
        raise OSError(str(error)) from error
    (place / "generation_config.json").unlink(missing_ok=True)  # there is none in a GGUF file
    tokenizer.save_pretrained(place)
    (place / SIZES).write_text(json.dumps(_sizes(place)), encoding="utf-8")


def _is_whole(place: Path) -> bool:
    """Whether all files are there and none was cut off, by a crash or a hand."""
    try:
        return bool(json.loads((place / SIZES).read_text(encoding="utf-8")) == _sizes(place))
    except (OSError, ValueError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir() if file.name != SIZES}
