"""GGUF files, unpacked once for all cells.

To read one, transformers makes objects of every word and unpacks every weight: seconds for a small model, in each of
configuration, tokeniser and weights. A folder as `save_pretrained` writes it is read in a fraction of that.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import transformers

from harness.caching import LEFTOVER, LIMIT, cache_folder, used
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
        _make(place, lambda part: _unpack(checkpoint, part))
        _prune(folder, keep=place)
    used(place)
    return place if _is_whole(place) else None


def dense() -> dict[str, Any]:
    """What `from_pretrained` is to be told so that weights of a GGUF file can be trained.

    By itself it leaves them packed where the package `kernels` is installed.
    """
    kind = getattr(transformers, "GgufConfig", None)
    return {"quantization_config": kind(dequantize=True)} if kind else {}


def _unpack(checkpoint: Checkpoint, place: Path) -> None:
    where = {"pretrained_model_name_or_path": checkpoint.location, "gguf_file": checkpoint.gguf}
    kind = CLASSES.get(checkpoint.architecture, transformers.AutoModel)
    model = kind.from_pretrained(**where, **dense(), dtype="float32")
    # A model of a packed file refuses to be saved, though it holds plain weights.
    model.hf_quantizer = None
    with suppress(AttributeError):
        del model.config.quantization_config
    model.save_pretrained(place)
    (place / "generation_config.json").unlink(missing_ok=True)  # there is none in a GGUF file
    transformers.AutoTokenizer.from_pretrained(**where).save_pretrained(place)


def _make(place: Path, fill: Callable[[Path], None]) -> None:
    """A folder that appears whole or not at all, whoever else makes it; none where the disk refuses."""
    try:
        part = Path(tempfile.mkdtemp(LEFTOVER, dir=place.parent))
    except OSError:
        return
    try:
        fill(part)
        (part / SIZES).write_text(json.dumps(_sizes(part)), encoding="utf-8")
        os.rename(part, place)
    except OSError:
        pass  # the disk is full, or another process was first
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _is_whole(place: Path) -> bool:
    """Whether all files are there and none was cut off, by a crash or a hand."""
    try:
        return bool(json.loads((place / SIZES).read_text(encoding="utf-8")) == _sizes(place))
    except (OSError, ValueError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir() if file.name != SIZES}


def _prune(folder: Path, keep: Path) -> None:
    """Remove the folders that were not used for the longest time, until all take `LIMIT` bytes at most."""
    found = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process has removed it
            size = sum(file.stat().st_size for file in path.rglob("*"))
            found.append((path != keep, path.stat().st_mtime, size, path))
    total = 0
    for _, _, size, path in sorted(found, key=lambda entry: (entry[0], -entry[1])):
        total += size
        if total > LIMIT:
            shutil.rmtree(path, ignore_errors=True)
