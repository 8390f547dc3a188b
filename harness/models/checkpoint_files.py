"""Check the files of a checkpoint: safetensors weights that are neither quantised nor an adapter.

The file that transformers opens follows from names in JSON files, which may lead to a pickle or out of the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from harness.errors import BenchError

CONFIG, ADAPTER = "config.json", "adapter_config.json"
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
SUFFIX = ".safetensors"
MAX_HEADER = 100_000_000  # bytes; the format's own limit
QUANTISED_TYPES = frozenset("F4 F6_E2M3 F6_E3M2 F8_E4M3 F8_E5M2 F8_E8M0 I8 U8".split())
DEPTH = 2  # levels of subfolders to search
MAX_FILES = 2000  # a folder with more files is not a model's
# Usual names of the folder with the final model, the likeliest first; trainers name checkpoints by their steps.
USUAL_FOLDERS = ("", "model", "0_Transformer", "best", "best_model", "final", "hf", "transformers", "pytorch")
OTHER_FORMATS = re.compile(r"(^|/)(onnx|openvino|coreml|tflite|tensorrt|flax|tf)(/|$)", re.IGNORECASE)


def read_json(path: Path, name: str) -> dict[str, Any]:
    """Read the mapping in one of a model's JSON files; anything else is a `BenchError`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BenchError(f"model {name!r}: {path.name} is no JSON ({error}); fetch it again") from None
    if not isinstance(content, dict):
        raise BenchError(f"model {name!r}: {path.name} must be a mapping, not {type(content).__name__}")
    return content


def read_optional_json(path: Path, name: str) -> dict[str, Any]:
    """As `read_json`; empty if there is no such file."""
    return read_json(path, name) if path.is_file() else {}


def file_names(folder: Path) -> set[str]:
    """The files of a folder and its subfolders, as relative paths with `/`."""
    names: set[str] = set()
    level = [folder]
    for _ in range(DEPTH + 1):
        subfolders = []
        for directory in level:
            with suppress(OSError):
                for child in directory.iterdir():
                    if len(names) + len(subfolders) >= MAX_FILES:
                        break
                    if child.is_dir():
                        subfolders.append(child)
                    else:
                        names.add(child.relative_to(folder).as_posix())
        level = subfolders
    return names


def check_adapter(files: Collection[str], adapter: Mapping[str, Any], subject: str) -> None:
    """Refuse a model with an adapter, which transformers would load onto another model.

    Args:
        files: names of all files.
        adapter: contents of adapter_config.json, if known.
        subject: the model, as the error names it.
    """
    if ADAPTER not in files:
        return
    base = adapter.get("base_model_name_or_path")
    kind = str(adapter.get("peft_type") or "LORA")
    base_model = f" for {base!r}" if base else ""
    remove = f", or remove {ADAPTER} to fine-tune the weights beside it" if CONFIG in files else ""
    raise BenchError(
        f"{subject}: holds an adapter ({kind}){base_model}, not a whole model; merge it into its base with PEFT's merge_and_unload() "
        f"and save_pretrained(folder), and give that folder{remove}"
    )


def missing_file(files: Collection[str], folder: str | None, subject: str, missing: str = CONFIG) -> str:
    """The error message for a folder without `missing` that has a model in a subfolder or in another format; else empty.

    Args:
        files: names of all files.
        folder: its path as the user gave it; None: on the Hub.
        subject: the model, as the error names it.
    """
    inside = _model_folders(files)
    if inside and folder is not None:
        more = f" (of {len(inside)})" if len(inside) > 1 else ""
        return f"{subject}: no {missing} in the folder, but in one inside it{more}; did you mean {folder.rstrip('/')}/{inside[0]}"
    if inside:
        return f"{subject}: the model is in its folder {inside[0]!r}; download that folder and give its path"
    formats = sorted({match[2].lower() for name in files if (match := OTHER_FORMATS.search(name))})
    if formats:
        return (
            f"{subject}: no {missing} in the folder, and a model in the format {', '.join(formats)} cannot be trained; choose the "
            "model that it was made from"
        )
    return ""


def _model_folders(files: Collection[str]) -> list[str]:
    """Subfolders that hold a model, the likeliest first."""
    folders = [name.removesuffix(f"/{CONFIG}") for name in files if name.endswith(f"/{CONFIG}")]
    weights = {name.rpartition("/")[0] for name in files if name.endswith(SUFFIX)}
    return sorted((path for path in folders if not OTHER_FORMATS.search(path) and path in weights), key=_folder_rank)


def _folder_rank(path: str) -> tuple[int, int, str]:
    name = path.rpartition("/")[2]
    step = re.fullmatch(r"(?:checkpoint|step|epoch)[-_]?(\d+)", name)
    rank = USUAL_FOLDERS.index(name) if name in USUAL_FOLDERS else len(USUAL_FOLDERS)
    return (len(USUAL_FOLDERS), -int(step[1]), path) if step else (rank, 0, path)


def check_quantised(config: Mapping[str, Any], name: str) -> None:
    """Refuse a configuration that says that the weights are quantised: these cannot be fine-tuned."""
    for key in ("quantization_config", "compression_config"):
        facts = config.get(key)
        if not facts:
            continue
        facts = facts if isinstance(facts, Mapping) else {}
        bits = next((bits for bits in (4, 8) if facts.get(f"load_in_{bits}bit")), None)
        method = facts.get("quant_method") or ("bitsandbytes" if bits else key)
        size = bits or facts.get("bits") or facts.get("w_bit")
        description = f"{method}, {size} bits" if isinstance(size, int) else str(method)
        raise BenchError(
            f"model {name!r}: its weights are quantised ({description}), and rounded weights cannot be fine-tuned; choose the weights "
            "that they were made from (bf16, fp16 or fp32)"
        )


def weight_names(folder: Path, config: Mapping[str, Any], name: str) -> list[str]:
    """The files in the folder that transformers would read the weights from; they need not exist.

    Raises:
        BenchError: a name of another kind of file, or outside the folder.
    """
    configured = config.get("transformers_weights")
    first = str(configured) if configured is not None else SINGLE if (folder / SINGLE).is_file() else INDEX
    if configured is not None:
        _check_name(first.removesuffix(".index.json"), "config.json, transformers_weights", name)
    if not first.endswith(".index.json"):
        return [first]
    if not (folder / first).is_file():
        return [SINGLE]
    shards = read_json(folder / first, name).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise BenchError(f"model {name!r}: {first} has no weight_map; fetch it again")
    for shard in shards.values():
        _check_name(shard, first, name)
    return sorted(set(shards.values()))


def _check_name(file: Any, source: str, name: str) -> None:
    if not isinstance(file, str) or PurePath(file).name != file or "\\" in file or not file.endswith(SUFFIX):
        raise BenchError(
            f"model {name!r}: {source} names {file!r}, which is no {SUFFIX} file beside it, and nothing else is loaded; convert "
            "its weights with model.save_pretrained"
        )


def check_weights(folder: Path, names: list[str], name: str) -> None:
    """Check that the files exist, are complete, and are safetensors by their contents.

    Raises:
        BenchError: one is not, or its weights are quantised.
    """
    for file in names:
        if not (folder / file).is_file():
            raise BenchError(
                f"model {name!r}: no {file} in the folder; convert its weights with model.save_pretrained(folder)"
            )
        _check_header(folder / file, name)


def _check_header(path: Path, name: str) -> None:
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(MAX_HEADER, size - 8):
                raise ValueError("the first bytes are not the length of a header")
            header = json.loads(file.read(length).decode("utf-8"))
            tensors = [value for key, value in header.items() if key != "__metadata__"]
            end = max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)
            quantised = sorted(key for key, tensor in header.items() if _is_quantised(key, tensor))
    except (ValueError, AttributeError, KeyError, TypeError, IndexError, RecursionError):
        raise BenchError(
            f"model {name!r}: {path.name} is no safetensors file, or a broken one; fetch it again, or write it with "
            "model.save_pretrained"
        ) from None
    if quantised:
        raise BenchError(
            f"model {name!r}: {path.name} holds quantised weights ({quantised[0]} and {len(quantised) - 1} more), and rounded weights "
            "cannot be fine-tuned; choose the weights that they were made from (bf16, fp16 or fp32)"
        )
    if 8 + length + end != size:
        raise BenchError(
            f"model {name!r}: {path.name} has {size:,} bytes, but its header says {8 + length + end:,}; fetch it again"
        )


def _is_quantised(key: str, tensor: Mapping[str, Any]) -> bool:
    """Whether a tensor is a quantised matrix, whatever the configuration says (GPTQ packs its weights into integers)."""
    return key.endswith(".qweight") or (key.endswith(".weight") and tensor["dtype"] in QUANTISED_TYPES)
