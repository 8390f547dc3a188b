"""Python code that a checkpoint brings or names: which checkpoint needs it, and what may be run of it.

Told from JSON files alone; nothing here imports what it speaks of.
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
from harness.models.weights import read_json

OPTION = "--trust-remote-code"
REFERENCE = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")  # file without .py, class
# With the package `kernels`, `owner/name` here is fetched from the Hub and run.
KERNELS = re.compile(r"_?(attn|experts)_implementation(_internal)?")
# Of `auto_map` -> the architecture that such a class is of.
AUTO = {
    "AutoModelForSeq2SeqLM": "encoder-decoder",
    "AutoModelForCausalLM": "decoder",
    "AutoModelForMaskedLM": "encoder",
}


def runs_code(config: Mapping[str, Any], name: str, trusted: bool) -> bool:
    """Whether loading a checkpoint runs Python code from its repository: only where it must, and where the person allowed it.

    Args:
        config: the contents of its `config.json`.
        name: the model's, for the errors.
        trusted: what `--trust-remote-code` says.

    Raises:
        BenchError: it needs code that is not trusted, or names code that stands elsewhere.
    """
    for kernel in _kernels(config):
        raise BenchError(
            f"model {name!r}: its config.json asks for code from the Hub, the kernel {kernel!r}, which bench does not run; "
            "remove attn_implementation or experts_implementation from the file"
        )
    if "auto_map" not in config or str(config.get("model_type", "")) in known_types():
        return False
    files = ", ".join(sorted({f"{one.partition('.')[0]}.py" for one in _strings(config["auto_map"])}))
    if not trusted:
        raise BenchError(
            f"model {name!r} (model_type {config.get('model_type')!r}) needs Python code from its repository ({files}), which "
            f"transformers has no class for; such code may do all that you may, so read it, then give {OPTION} to bench run, "
            "plan or fetch, or choose a model that transformers supports itself"
        )
    check_references(config, name)
    return True


def check_references(config: Mapping[str, Any], name: str, folder: Path | None = None) -> None:
    """Make sure that all code that a `config.json` or `tokenizer_config.json` names is beside it.

    Code of another repository would be of no fixed revision, and so would the score.

    Args:
        folder: where the files must be; None: only their names are looked at.

    Raises:
        BenchError: it is not.
    """
    for reference in _strings(config.get("auto_map") or {}):
        if not REFERENCE.fullmatch(reference):
            raise BenchError(
                f"model {name!r}: auto_map names code outside of its own folder ({reference!r}), which no revision fixes; "
                "put the .py files beside the weights in a folder, name them file.Class, and give that folder"
            )
        file = f"{reference.partition('.')[0]}.py"
        if folder is not None and not (folder / file).is_file():
            raise BenchError(f"model {name!r}: auto_map names {reference!r}, but there is no {file} beside config.json")


def check_code(folder: Path, name: str) -> None:
    """Make sure that all code that a model's JSON files name is in its folder.

    Raises:
        BenchError: it is not.
    """
    for file in ("config.json", "tokenizer_config.json"):
        if (folder / file).is_file():
            check_references(read_json(folder / file, name), name, folder)


def architecture_of_code(config: Mapping[str, Any]) -> str | None:
    """The architecture that `auto_map` speaks of; None where it does not say."""
    return next((kind for key, kind in AUTO.items() if key in config["auto_map"]), None)


@cache
def known_types() -> frozenset[str]:
    """Every `model_type` for which transformers has classes of its own."""
    ours = ENCODERS | DECODERS | ENCODER_DECODERS
    spec = find_spec("transformers")
    folders = (spec.submodule_search_locations if spec else None) or []
    for table in (Path(folder, "models", "auto", "auto_mappings.py") for folder in folders):
        if table.is_file():  # a table and nothing else: read so, the library itself stays out
            return ours | frozenset(runpy.run_path(str(table))["CONFIG_MAPPING_NAMES"])
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return ours | frozenset(CONFIG_MAPPING_NAMES)


def _kernels(value: Any, key: str = "") -> Iterator[str]:
    """The repositories of kernels that a configuration, or one inside it, asks for."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _kernels(inner, key if KERNELS.fullmatch(key) else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _kernels(inner, key)
    elif isinstance(value, str) and "/" in value and KERNELS.fullmatch(key):
        yield value


def _strings(value: Any) -> Iterator[str]:
    """The references in `auto_map`, whose values are texts, or lists of texts and None."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(inner)
