"""What looks like a model and is none: an adapter, quantised weights, a folder with the model inside. Told from names and JSON files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.errors import BenchError

CONFIG, ADAPTER = "config.json", "adapter_config.json"
DEPTH = 2  # folders in folders that are looked into
MOST = 2000  # names; a folder of more is no model's
# How people name the folder of the one model that is meant, the likeliest first; checkpoints of a trainer by their steps.
LIKELY = ("", "model", "0_Transformer", "best", "best_model", "final", "hf", "transformers", "pytorch")
# Formats that other programs read.
OTHERS = re.compile(r"(^|/)(onnx|openvino|coreml|tflite|tensorrt|flax|tf)(/|$)", re.IGNORECASE)


def names_in(folder: Path) -> set[str]:
    """The files of a folder and of those in it, as names with `/`."""
    found: set[str] = set()
    level = [folder]
    for _ in range(DEPTH + 1):
        inner = []
        for place in level:
            with suppress(OSError):
                for child in place.iterdir():
                    if len(found) + len(inner) < MOST:
                        if child.is_dir():
                            inner.append(child)
                        else:
                            found.add(child.relative_to(folder).as_posix())
        level = inner
    return found


def check_adapter(files: Collection[str], adapter: Mapping[str, Any], what: str) -> None:
    """Make sure that a model does not come with an adapter, which transformers would load onto another model.

    Args:
        files: names of all files.
        adapter: the contents of adapter_config.json, as far as they are known.
        what: the model as the error names it.

    Raises:
        BenchError: it does.
    """
    if ADAPTER not in files:
        return
    base = adapter.get("base_model_name_or_path")
    kind = str(adapter.get("peft_type") or "LORA")
    onto = f" for {base!r}" if base else ""
    remove = f", or remove {ADAPTER} to fine-tune the weights beside it" if CONFIG in files else ""
    raise BenchError(
        f"{what}: holds an adapter ({kind}){onto}, not a whole model; merge it into its base with PEFT's merge_and_unload() and "
        f"save_pretrained(folder), and give that folder{remove}"
    )


def whole_inside(files: Collection[str]) -> list[str]:
    """The folders inside that hold a model, the likeliest first."""
    places = [name.removesuffix(f"/{CONFIG}") for name in files if name.endswith(f"/{CONFIG}")]
    weights = {name.rpartition("/")[0] for name in files if name.endswith(".safetensors")}
    return sorted((place for place in places if not OTHERS.search(place) and place in weights), key=_likely)


def _likely(place: str) -> tuple[int, int, str]:
    last = place.rpartition("/")[2]
    step = re.fullmatch(r"(?:checkpoint|step|epoch)[-_]?(\d+)", last)
    rank = LIKELY.index(last) if last in LIKELY else len(LIKELY)
    return (len(LIKELY), -int(step[1]), place) if step else (rank, 0, place)


def nothing_here(files: Collection[str], folder: str | None, what: str, lacks: str = CONFIG) -> str:
    """What to say of a folder that is no model but holds one; empty where it holds none either.

    Args:
        files: names of all files.
        folder: its path as it was given; None: it is on the Hub.
        what: the model as the error names it.
        lacks: what is not there.
    """
    inside = whole_inside(files)
    if inside and folder is not None:
        more = f" (of {len(inside)})" if len(inside) > 1 else ""
        return f"{what}: no {lacks} in the folder, but in one inside it{more}; did you mean {folder.rstrip('/')}/{inside[0]}"
    if inside:
        return f"{what}: the model is in its folder {inside[0]!r}; download that folder and give its path"
    foreign = sorted({match[2].lower() for name in files if (match := OTHERS.search(name))})
    if foreign:
        return f"{what}: no {lacks} in the folder, and what {', '.join(foreign)} read cannot be trained; choose the model it was made of"
    return ""


def check_quantised(config: Mapping[str, Any], name: str) -> None:
    """Make sure that the weights were not rounded to a few bits: such cannot be fine-tuned.

    Raises:
        BenchError: they were; says by which method.
    """
    for key in ("quantization_config", "compression_config"):
        facts = config.get(key)
        if not facts:
            continue
        facts = facts if isinstance(facts, Mapping) else {}
        bits = next((bits for bits in (4, 8) if facts.get(f"load_in_{bits}bit")), None)
        method = facts.get("quant_method") or ("bitsandbytes" if bits else key)
        size = bits or facts.get("bits") or facts.get("w_bit")
        told = f"{method}, {size} bits" if isinstance(size, int) else str(method)
        raise BenchError(
            f"model {name!r}: its weights are quantised ({told}), and rounded weights cannot be fine-tuned; choose the weights "
            "that they were made of (bf16, fp16 or fp32)"
        )
