"""The engines by name."""

from __future__ import annotations

from harness.engines.base import Engine
from harness.errors import BenchError, unknown

ENGINES = {
    "local": "processes of this machine",
    "inline": "this process, one cell after another, for debugging",
}


def make_engine(name: str, devices: str, jobs: int | None, together: int = 1) -> Engine:
    """The engine of a name.

    Args:
        name: one of `ENGINES`.
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: by the devices.
        together: devices that each cell is trained on.

    Raises:
        BenchError: there is no such engine or device, or the engine cannot do this.
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    if name == "inline":
        from harness.engines.inline import InlineEngine

        if together > 1:
            raise BenchError(f"--devices-per-cell {together}: the engine inline has one device; use --engine local")
        return InlineEngine(devices)
    from harness.engines.local import LocalEngine

    return LocalEngine(devices, jobs, together)
