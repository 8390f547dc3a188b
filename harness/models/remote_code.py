"""Python code in a checkpoint's repository: which checkpoints need it, and what code may be run.

Reads JSON files only; imports none of that code.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import BenchError
from harness.models.architectures import DECODERS, ENCODER_DECODERS, ENCODERS
from harness.models.checkpoint_files import read_json

OPTION = "--trust-remote-code"
REFERENCE = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")  # file without .py, class
# With the package `kernels`, a value `owner/name` of these keys is downloaded from the Hub and run.
KERNEL_KEYS = re.compile(r"_?(attn|experts)_implementation(_internal)?")
# Key of `auto_map` -> the architecture of such a class.
AUTO_CLASSES = {
    "AutoModelForSeq2SeqLM": "encoder-decoder",
    "AutoModelForCausalLM": "decoder",
    "AutoModelForMaskedLM": "encoder",
}


def runs_code(config: Mapping[str, Any], name: str, trusted: bool) -> bool:
    """Whether loading a checkpoint runs Python code from its repository: only if it must and the user allows it.

    Args:
        config: contents of `config.json`.
        trusted: the value of `--trust-remote-code`.

    Raises:
        BenchError: it needs code that is not trusted, or names code outside its repository.
    """
    for kernel in _kernels(config):
        raise BenchError(
            f"model {name!r}: its config.json asks for code from the Hub, the kernel {kernel!r}, which bench does not run; "
            "remove attn_implementation or experts_implementation from the file"
        )
    if "auto_map" not in config or str(config.get("model_type", "")) in _known_types():
        return False
    if not trusted:
        files = ", ".join(sorted({f"{reference.partition('.')[0]}.py" for reference in _references(config["auto_map"])}))
        raise BenchError(
            f"model {name!r} (model_type {config.get('model_type')!r}) needs Python code from its repository ({files}), which "
            f"transformers has no class for; such code may do all that you may, so read it, then give {OPTION} to bench run, "
            "plan or fetch, or choose a model that transformers supports itself"
        )
    _check_references(config, name)
    return True


def _check_references(config: Mapping[str, Any], name: str, folder: Path | None = None) -> None:
    """Check that the code that a configuration names is beside it; without a folder, check only the names.

    Code of another repository would have no fixed revision, and so the score would not either.
    """
    for reference in _references(config.get("auto_map") or {}):
        if not REFERENCE.fullmatch(reference):
            raise BenchError(
                f"model {name!r}: auto_map names code outside of its own folder ({reference!r}), which no revision fixes; "
                "put the .py files beside the weights in a folder, name them file.Class, and give that folder"
            )
        file = f"{reference.partition('.')[0]}.py"
        if folder is not None and not (folder / file).is_file():
            raise BenchError(f"model {name!r}: auto_map names {reference!r}, but there is no {file} beside config.json")


def check_code(folder: Path, name: str) -> None:
    """Check that all code that a model's JSON files name is in its folder.

    Raises:
        BenchError: it is not.
    """
    for file in ("config.json", "tokenizer_config.json"):
        if (folder / file).is_file():
            _check_references(read_json(folder / file, name), name, folder)


def architecture_of_code(config: Mapping[str, Any]) -> str | None:
    """The architecture that the classes in `auto_map` imply, if any."""
    return next((architecture for key, architecture in AUTO_CLASSES.items() if key in config["auto_map"]), None)


@cache
def _known_types() -> frozenset[str]:
    """Every `model_type` for which transformers has classes."""
    text_types = ENCODERS | DECODERS | ENCODER_DECODERS
    spec = find_spec("transformers")
    folders = (spec.submodule_search_locations if spec else None) or []
    for table in (Path(folder, "models", "auto", "auto_mappings.py") for folder in folders):
        if table.is_file():  # holds only a table, so it can be read without importing transformers
            return text_types | frozenset(runpy.run_path(str(table))["CONFIG_MAPPING_NAMES"])
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return text_types | frozenset(CONFIG_MAPPING_NAMES)


def _kernels(value: Any, key: str = "") -> Iterator[str]:
    """The repositories of kernels that a configuration, or one nested in it, names."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _kernels(inner, key if KERNEL_KEYS.fullmatch(key) else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _kernels(inner, key)
    elif isinstance(value, str) and "/" in value and KERNEL_KEYS.fullmatch(key):
        yield value


def _references(value: Any) -> Iterator[str]:
    """The references in `auto_map`, whose values are strings, or lists of strings and None."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _references(inner)
