"""The processor as the operating system describes it; without torch."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def entry() -> Mapping[str, str]:
    """Return the first entry of `/proc/cpuinfo` ("model name", "vendor_id", "flags"…); empty if there is none."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def name() -> str:
    """Return the processor's model name, or what the system reports instead."""
    return entry().get("model name") or platform.processor() or platform.machine()


def flags() -> frozenset[str]:
    """Return the instruction sets, as Linux names them; empty if unknown."""
    return frozenset(entry().get("flags", "").split())
