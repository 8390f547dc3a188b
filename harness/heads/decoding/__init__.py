"""Greedy decoding of many prompts: the tokens of `model.generate`, in less time."""

from harness.heads.decoding.forward_passes import covers
from harness.heads.decoding.greedy import decode

__all__ = ["covers", "decode"]
