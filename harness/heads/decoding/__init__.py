"""Greedy decoding of many prompts: the tokens of `model.generate`, with less work."""

from harness.heads.decoding.covers import covers
from harness.heads.decoding.greedy import decode

__all__ = ["covers", "decode"]
