"""A Ray cluster as the engine `ray` sees it: is it there, what has it got, which nodes are alive."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from harness.engines import local
from harness.engines.base import Slot
from harness.errors import BenchError

ANSWER = 10.0  # seconds in which the cluster must answer


@dataclass(frozen=True)
class ClusterSlot(Slot):
    """A slot on a node.

    Attributes:
        node: Ray's id of the node that it was made for; when that is gone, any other may take its place.
        number: among the slots of the node.
        cpus: that it takes from the cluster.
        gpus: the same.
    """

    node: str
    number: int
    cpus: int
    gpus: int

    def plain(self) -> Slot:
        """What a worker needs to know."""
        return Slot(self.device, self.threads)


def connect(address: str) -> Any:
    """The module `ray`, connected to the cluster at an address.

    Raises:
        BenchError: ray is not installed, or no cluster answers.
    """
    try:
        import ray
    except ImportError:
        raise BenchError('--engine ray: ray is not installed; run: pip install "bench-harness[ray]"') from None
    if "://" in address or address == "local":
        raise BenchError(
            f"--address {address}: must be auto or HOST:PORT of a running cluster; run bench on one of its nodes"
        )
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        _knock(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
        ray.init(address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise BenchError(
            f"--address {address}: no Ray cluster can be used there ({_first_line(error)}); start one: ray start --head"
        ) from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)  # ray has set its own; here it means to save what runs
    # Ray tells on our standard output of nodes and actors that die, pages long, whatever `log_to_driver` says; here they are told
    # as ends of cells, and `--json` owns that stream. Ray's own debugger turns it off in this way.
    ray._private.worker._worker_logs_enabled = False
    return ray


def _knock(address: str) -> None:
    """Ray tries for many minutes where nobody answers."""
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return  # it then asks a process of this machine, or says that there is none
    if not colon or not port.isdecimal():
        raise ValueError("it is no HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200].rstrip(".")


def make_slots(nodes: Sequence[Mapping[str, Any]], devices: str, jobs: int | None) -> list[ClusterSlot]:
    """Each node cut into slots as the engine `local` would cut it, taken from all nodes in turn, at most `jobs` of them.

    Raises:
        BenchError: an unknown device, or none of the kind.
    """
    if devices not in ("auto", "cpu", "cuda"):
        raise BenchError(f"--devices {devices}: on a cluster Ray chooses among devices; valid: auto, cpu, cuda")
    alive = [node for node in nodes if node["Alive"]]
    gpus = any(node["Resources"].get("GPU", 0) >= 1 for node in alive)
    kind = ("cuda" if gpus else "cpu") if devices == "auto" else devices
    cut = [_cut(node, kind) for node in alive]
    slots = [slot for slot in chain.from_iterable(zip_longest(*cut)) if slot is not None]
    if not slots:
        what = "GPU" if kind == "cuda" else "CPU"
        raise BenchError(f"--devices {devices}: no node of the cluster has a {what}; see: ray status")
    return slots[:jobs]


def _cut(node: Mapping[str, Any], kind: str) -> list[ClusterSlot]:
    cores, gpus = (int(node["Resources"].get(name, 0)) for name in ("CPU", "GPU"))
    if not (gpus if kind == "cuda" else cores):
        return []
    plain = local.make_slots(["cuda"] * gpus if kind == "cuda" else ["cpu"], None, cores)
    return [
        ClusterSlot(slot.device, slot.threads, node["NodeID"], number, min(slot.threads, cores), int(kind == "cuda"))
        for number, slot in enumerate(plain)
    ]


def is_alive(ray: Any, node: str, told: str) -> bool:
    """Whether a node is there after an actor on it has ended.

    Args:
        ray: the module.
        node: its id.
        told: what Ray said of the actor's end; of an actor alone it says nothing about nodes.
    """
    if "node has died" in told or "node is dead" in told.lower():
        return False
    return any(one["NodeID"] == node and one["Alive"] for one in ray.nodes())
