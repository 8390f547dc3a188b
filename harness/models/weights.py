"""Weights as safetensors and nothing else: which files hold them, and that they are what their names say.

What transformers opens follows from names in JSON files, which may lead to a pickle or out of the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from harness.errors import BenchError

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ENDING = ".safetensors"
LARGEST_HEADER = 100_000_000  # bytes; the format's own limit
FEW_BITS = frozenset(
    "F4 F6_E2M3 F6_E3M2 F8_E4M3 F8_E5M2 F8_E8M0 I8 U8".split()
)  # types of numbers, of weights that were rounded


def read_json(path: Path, name: str) -> dict[str, Any]:
    """The mapping in one of a model's JSON files.

    Raises:
        BenchError: it holds none; says so with the model's name.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BenchError(f"model {name!r}: {path.name} is no JSON ({error}); fetch it again") from None
    if not isinstance(content, dict):
        raise BenchError(f"model {name!r}: {path.name} must be a mapping, not {type(content).__name__}")
    return content


def weight_names(folder: Path, config: Mapping[str, Any], name: str) -> list[str]:
    """The names of the files in the folder that transformers would take the weights from; they need not be there.

    Raises:
        BenchError: a name that leads to another kind of file, or out of the folder.
    """
    given = config.get("transformers_weights")
    first = str(given) if given is not None else SINGLE if (folder / SINGLE).is_file() else INDEX
    if given is not None:
        _check_name(first.removesuffix(".index.json"), "config.json, transformers_weights", name)
    if not first.endswith(".index.json"):
        return [first]
    if not (folder / first).is_file():
        return [SINGLE]
    parts = read_json(folder / first, name).get("weight_map")
    if not isinstance(parts, dict) or not parts:
        raise BenchError(f"model {name!r}: {first} has no weight_map; fetch it again")
    for part in parts.values():
        _check_name(part, first, name)
    return sorted(set(parts.values()))


def check_weights(folder: Path, names: list[str], name: str) -> None:
    """Make sure that the files are there, whole, and safetensors by their contents.

    Raises:
        BenchError: one is not.
    """
    for part in names:
        if not (folder / part).is_file():
            raise BenchError(
                f"model {name!r}: no {part} in the folder; convert its weights with model.save_pretrained(folder)"
            )
        check_header(folder / part, name)


def check_header(path: Path, name: str) -> None:
    """Make sure that a file begins as safetensors do and is as long as it says.

    Raises:
        BenchError: it does not: a file of another kind under this name, or a part of one; or its weights were rounded to few bits.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(LARGEST_HEADER, size - 8):
                raise ValueError("its first bytes are not the length of a header")
            header = json.loads(file.read(length).decode("utf-8"))
            tensors = [value for key, value in header.items() if key != "__metadata__"]
            end = max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)
            rounded = sorted(key for key, tensor in header.items() if _is_rounded(key, tensor))
    except (ValueError, AttributeError, KeyError, TypeError, IndexError, RecursionError):
        raise BenchError(
            f"model {name!r}: {path.name} is no safetensors file, or a broken one; fetch it again, or write it with "
            "model.save_pretrained"
        ) from None
    if rounded:
        raise BenchError(
            f"model {name!r}: {path.name} holds quantised weights ({rounded[0]} and {len(rounded) - 1} more), and rounded weights cannot "
            "be fine-tuned; choose the weights that they were made of (bf16, fp16 or fp32)"
        )
    if 8 + length + end != size:
        raise BenchError(
            f"model {name!r}: {path.name} has {size:,} bytes, but its header speaks of {8 + length + end:,}; fetch it again"
        )


def _is_rounded(key: str, tensor: Mapping[str, Any]) -> bool:
    """Whether a tensor is a matrix in a few bits, whatever the configuration says (GPTQ packs its in whole numbers)."""
    return key.endswith(".qweight") or (key.endswith(".weight") and tensor["dtype"] in FEW_BITS)


def _check_name(part: Any, where: str, name: str) -> None:
    if not isinstance(part, str) or PurePath(part).name != part or "\\" in part or not part.endswith(ENDING):
        raise BenchError(
            f"model {name!r}: {where} names {part!r}, which is no {ENDING} file beside it, and nothing else is loaded; convert "
            "its weights with model.save_pretrained"
        )
