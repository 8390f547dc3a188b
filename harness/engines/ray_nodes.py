"""The nodes of a Ray cluster: how to connect to it, its slots, and the actor that runs cells on a slot."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import chain, zip_longest
from multiprocessing import connection as connections
from pathlib import Path
from typing import Any

from harness.cell import PROTOCOL
from harness.engines import local
from harness.engines.base import Job, JobResult, Slot
from harness.errors import BenchError
from harness.remote.remote_folder import RemoteFolder, is_url

CONNECT_TIMEOUT = 10.0  # seconds in which the cluster must accept a connection
POLL_TIMEOUT = 5.0  # seconds after which `poll` returns even if nothing has happened
BATCH_SECONDS = 0.05  # seconds for which events are collected, so that not every step costs a message


@dataclass(frozen=True)
class ClusterSlot(Slot):
    """A slot on a node.

    Attributes:
        node: Ray's id of the node that the slot was made for; if that node is gone, any other may take its place.
        number: the number of the slot on its node.
        cpus: the CPUs that the slot takes from the cluster.
        gpus: the GPUs that the slot takes from the cluster.
    """

    node: str
    number: int
    cpus: int
    gpus: int

    def plain(self) -> Slot:
        """Return the part that a worker needs."""
        return Slot(self.device, self.threads)


def connect(address: str) -> Any:
    """Connect to the cluster at an address and return the module `ray`.

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
    in_main_thread = threading.current_thread() is threading.main_thread()
    sigterm_handler = signal.getsignal(signal.SIGTERM)
    try:
        _check_address(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
        ray.init(address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).strip().partition("\n")[0][:200].rstrip(".")
        raise BenchError(
            f"--address {address}: no Ray cluster can be used there ({reason}); start one: ray start --head"
        ) from None
    finally:
        if in_main_thread:
            signal.signal(signal.SIGTERM, sigterm_handler)  # ray sets its own; ours saves the running cells
    # Whatever `log_to_driver` says, Ray prints pages to standard output about nodes and actors that die. Here they are
    # reported as results of cells, and `--json` needs that stream. Ray's own debugger turns the output off like this.
    ray._private.worker._worker_logs_enabled = False
    return ray


def _check_address(address: str) -> None:
    """Check that something listens at an address, because Ray itself would try for many minutes."""
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return  # Ray asks a process of this machine, or reports that there is none
    if not colon or not port.isdecimal():
        raise ValueError("it is no HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT).close()


def make_slots(nodes: Sequence[Mapping[str, Any]], devices: str, jobs: int | None) -> list[ClusterSlot]:
    """Divide each node into slots as the engine `local` would, and take at most `jobs` of them from all nodes in turn.

    Raises:
        BenchError: the device is unknown, or no node has one.
    """
    if devices not in ("auto", "cpu", "cuda"):
        raise BenchError(f"--devices {devices}: on a cluster Ray chooses among devices; valid: auto, cpu, cuda")
    alive = [node for node in nodes if node["Alive"]]
    has_gpus = any(node["Resources"].get("GPU", 0) >= 1 for node in alive)
    kind = ("cuda" if has_gpus else "cpu") if devices == "auto" else devices
    in_turn = chain.from_iterable(zip_longest(*(_slots_of_node(node, kind) for node in alive)))
    slots = [slot for slot in in_turn if slot is not None]
    if not slots:
        name = "GPU" if kind == "cuda" else "CPU"
        raise BenchError(f"--devices {devices}: no node of the cluster has a {name}; see: ray status")
    return slots[:jobs]


def _slots_of_node(node: Mapping[str, Any], kind: str) -> list[ClusterSlot]:
    cores, gpus = (int(node["Resources"].get(name, 0)) for name in ("CPU", "GPU"))
    if not (gpus if kind == "cuda" else cores):
        return []
    slots = local.make_slots(["cuda"] * gpus if kind == "cuda" else ["cpu"], None, cores)
    return [
        ClusterSlot(slot.device, slot.threads, node["NodeID"], number, min(slot.threads, cores), int(kind == "cuda"))
        for number, slot in enumerate(slots)
    ]


def node_is_alive(ray: Any, node: str, error: str) -> bool:
    """Return whether a node is alive after an actor on it has ended.

    Args:
        ray: the module.
        node: the id of the node.
        error: Ray's message about the end of the actor.
    """
    if "node has died" in error or "node is dead" in error.lower():
        return False
    return any(other["NodeID"] == node and other["Alive"] for other in ray.nodes())


def versions() -> dict[str, Any]:
    """Return the versions that must be equal on the driver and all nodes."""
    return {"bench": version("bench-harness"), "protocol": PROTOCOL}


class SlotActor:
    """A Ray actor that holds the resources of a slot and starts one fresh process for each cell.

    The processes are those of the engine `local`, forked from a server of the actor's own, so signals, full disks and
    lost parents are handled there. When the actor ends, for whatever reason, its cell saves its state and ends too.

    Args:
        home: the folder in which the run was started, for relative paths; ignored if the node does not have it.
        path: the driver's `sys.path`; searched after the node's own.
        variables: environment variables; those that the node has set itself are kept.
    """

    def __init__(self, home: str, path: Sequence[str], variables: Mapping[str, str]):
        for name, value in variables.items():
            os.environ.setdefault(name, value)
        sys.path += [folder for folder in path if folder not in sys.path]
        with suppress(FileNotFoundError, NotADirectoryError):
            os.chdir(home)
        # Otherwise a forked process would run Ray's own script again, to find what was defined there.
        vars(sys.modules["__main__"]).pop("__file__", None)
        self.engine = local.LocalEngine("cpu", 1)
        self.handle: Any = None
        self.last_result: JobResult | None = None

    def greet(self, marker: str) -> dict[str, Any]:
        """Load the libraries, and return the node, its versions, and whether it sees the results folder.

        Args:
            marker: a file in the results folder, or the URL of the results.

        Raises:
            BenchError: the results are behind a URL that cannot be written from here.
        """
        import ray

        self.engine.probe()
        if is_url(marker):
            RemoteFolder(marker).check()
        shares = is_url(marker) or Path(marker).exists()
        return {"node": ray.get_runtime_context().get_node_id(), "shares": shares, **versions()}

    def begin(self, job: Job, slot: Slot) -> int:
        """Start a cell and return its process id. There is one cell at a time."""
        if slot.device != "cpu":
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")  # Ray sets it to the GPU of this actor
            slot = replace(slot, device=f"cuda:{visible}")
        self.last_result = None
        self.handle = self.engine.submit(job, slot)
        return self.handle.process.pid

    def poll(self) -> tuple[list[dict[str, Any]], JobResult | None]:
        """Return the events since the last call, as soon as there are any, and the result once the cell has ended."""
        if self.last_result is not None:
            return [], self.last_result  # the previous answer was lost on its way
        handle = self.handle
        connections.wait([handle.connection, handle.process.sentinel], POLL_TIMEOUT)
        time.sleep(BATCH_SECONDS)
        done = handle.done()  # checked before the events are read: a cell sends its last events before it ends
        events = handle.events()
        if done:
            self.last_result = handle.result()
        return events, self.last_result

    def files(self) -> dict[str, bytes]:
        """Return the files of the finished cell, if the results are behind a URL."""
        return self.handle.store.pack(self.handle.job.cell.id)

    def stop(self) -> None:
        """Ask the cell to save its state and end."""
        self.handle.stop()

    def kill(self) -> None:
        """Kill the cell; `poll` reports when it has ended."""
        self.handle.stop_requested = True
        self.handle.process.kill()
