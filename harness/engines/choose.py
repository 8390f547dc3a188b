"""The engines by name."""

from __future__ import annotations

from harness.engines.base import Engine
from harness.errors import unknown

ENGINES = {
    "local": "processes of this machine",
    "inline": "this process, one cell after another, for debugging",
}


def make_engine(name: str, devices: str, jobs: int | None) -> Engine:
    """The engine of a name.

    Args:
        name: one of `ENGINES`.
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: by the devices.

    Raises:
        BenchError: there is no such engine or device.
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    if name == "inline":
        from harness.engines.inline import InlineEngine

        return InlineEngine(devices)
    from harness.engines.local import LocalEngine

    return LocalEngine(devices, jobs)
