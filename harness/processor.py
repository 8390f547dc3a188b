"""The processor as the system tells of it; without torch."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def entry() -> Mapping[str, str]:
    """The first processor's entry in Linux' list: "model name", "vendor_id", "flags"…; empty where there is none."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def name() -> str:
    """As its maker calls it, or what the system says in the place of that."""
    return entry().get("model name") or platform.processor() or platform.machine()


def flags() -> frozenset[str]:
    """The instructions that it has, in Linux' words; empty where that is not told."""
    return frozenset(entry().get("flags", "").split())
