"""What a hostile publisher would put into a model or data set: each piece leaves a file behind if it is ever run."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

CODE = """
from pathlib import Path

from transformers import BertConfig, BertForMaskedLM, BertModel

Path({marker!r}).touch()


class MysteryConfig(BertConfig):
    model_type = "mystery"


class MysteryModel(BertModel):
    config_class = MysteryConfig


class MysteryForMaskedLM(BertForMaskedLM):
    config_class = MysteryConfig
"""
AUTO_MAP = {
    "AutoConfig": "modeling_mystery.MysteryConfig",
    "AutoModel": "modeling_mystery.MysteryModel",
    "AutoModelForMaskedLM": "modeling_mystery.MysteryForMaskedLM",
}


class _Payload:
    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def pickled(marker: Path) -> bytes:
    """A pickle that creates `marker` when it is loaded."""
    return pickle.dumps(_Payload(marker))


def with_code(source: Path, folder: Path, marker: Path, model_type: str = "mystery") -> Path:
    """A copy of a BERT checkpoint that brings Python code, which creates `marker` when it is run.

    Args:
        model_type: one that transformers does not know makes the code necessary.
    """
    shutil.copytree(source, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": model_type, "architectures": ["MysteryForMaskedLM"], "auto_map": AUTO_MAP}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling_mystery.py").write_text(CODE.format(marker=str(marker)))
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(CODE.format(marker=str(marker)))
    return folder


def change(path: Path, **values) -> None:
    """Change keys of a JSON file, which is made if need be; None takes one away."""
    content = json.loads(path.read_text()) if path.is_file() else {}
    content |= values
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
