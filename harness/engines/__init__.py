"""Engines run cells: on this machine, in this process, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BenchError, unknown

if TYPE_CHECKING:
    from harness.engines.base import Engine

ENGINES = {
    "local": "processes of this machine",
    "inline": "this process, one cell after another, for debugging",
    "ray": "the nodes of a Ray cluster",
}


def make_engine(
    name: str,
    devices: str,
    jobs: int | None,
    devices_per_cell: int,
    results: str | Path,
    address: str = "auto",
    modules: Sequence[str] = (),
) -> Engine:
    """Create an engine by its name. Engines are imported here, because some of them import torch or ray.

    Args:
        name: one of `ENGINES`.
        devices: `auto`, or a list such as `cpu` or `cuda:0,cuda:1`.
        jobs: the number of cells that run at the same time; None: one for each device.
        devices_per_cell: the number of devices that train one cell together.
        results: the results folder or URL; `ray` checks that every node can reach it.
        address: the address of the Ray cluster.
        modules: extra modules that `local` loads once, before the first cell.

    Raises:
        BenchError: the engine, cluster or device does not exist, or the engine does not support an option.
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    if devices_per_cell > 1 and name != "local":
        raise BenchError(
            f"--devices-per-cell {devices_per_cell}: the engine {name} gives a cell one device; use --engine local"
        )
    if name == "inline":
        from harness.engines.inline import InlineEngine

        return InlineEngine(devices)
    if name == "ray":
        from harness.engines.cluster import ClusterEngine

        return ClusterEngine(address, devices, jobs, results)
    from harness.engines.local import LocalEngine

    return LocalEngine(devices, jobs, devices_per_cell, modules)
