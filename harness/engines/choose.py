"""The engines by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.engines.base import Engine
from harness.errors import BenchError, unknown

ENGINES = {
    "local": "processes of this machine",
    "inline": "this process, one cell after another, for debugging",
    "ray": "the nodes of a Ray cluster",
}


def make_engine(
    name: str,
    devices: str,
    jobs: int | None,
    together: int,
    results: str | Path,
    address: str = "auto",
    modules: Sequence[str] = (),
) -> Engine:
    """The engine of a name.

    Args:
        name: one of `ENGINES`.
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: cells at once; None: by the devices.
        together: devices that each cell is trained on.
        results: the results folder or URL; engines of several machines ask whether all see it.
        address: of the cluster, for engines that have one.
        modules: what the cells will import beside what all cells do, for engines that load libraries before the first.

    Raises:
        BenchError: there is no such engine, cluster or device, or the engine cannot do this.
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    if together > 1 and name != "local":
        raise BenchError(
            f"--devices-per-cell {together}: the engine {name} gives a cell one device; use --engine local"
        )
    if name == "inline":
        from harness.engines.inline import InlineEngine

        return InlineEngine(devices)
    if name == "ray":
        from harness.engines.cluster import ClusterEngine

        return ClusterEngine(address, devices, jobs, results)
    from harness.engines.local import LocalEngine

    return LocalEngine(devices, jobs, together, modules)
