"""A slot on a node of a Ray cluster: an actor that holds the slot's resources and starts one fresh process a cell.

The cells' processes are those of the engine `local`, forked from a server of the actor's own: what a signal, a full disk or a lost
parent means for them is decided there. When the actor ends, however that happens, they save their state and end too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from multiprocessing import connection as connections
from pathlib import Path
from typing import Any

from harness.cell import PROTOCOL
from harness.engines.base import Ended, Slot
from harness.job import Job
from harness.remote.folder import RemoteFolder, is_url

PATIENCE = 5.0  # seconds after which `news` answers even if there are none
BATCH = 0.05  # seconds in which further events are waited for, so that each step does not cost a message of its own


def versions() -> dict[str, Any]:
    """What driver and nodes must agree in."""
    return {"bench": version("bench-harness"), "protocol": PROTOCOL}


class Place:
    """The actor.

    Args:
        home: the folder in which the run was started; the place goes there if its node has it, for paths may be relative.
        path: where the driver finds modules; what of it the node has is looked through after the node's own.
        variables: of the environment; what the node has set itself stays.
    """

    def __init__(self, home: str, path: Sequence[str], variables: Mapping[str, str]):
        for name, value in variables.items():
            os.environ.setdefault(name, value)
        sys.path += [folder for folder in path if folder not in sys.path]
        with suppress(FileNotFoundError, NotADirectoryError):
            os.chdir(home)
        # A forked process would otherwise run Ray's own script again, to find what was defined there.
        vars(sys.modules["__main__"]).pop("__file__", None)
        from harness.engines.local import LocalEngine

        self.engine = LocalEngine("cpu", 1)
        self.handle: Any = None
        self.ended: Ended | None = None

    def greet(self, sign: str) -> dict[str, Any]:
        """Load the libraries, then tell where this is, and whether a file of the results folder can be seen from here.

        Raises:
            BenchError: the results lie behind a URL, and nothing can be written there from here.
        """
        import ray

        self.engine.probe()
        if is_url(sign):
            RemoteFolder(sign).check()
        shares = is_url(sign) or Path(sign).exists()
        return {"node": ray.get_runtime_context().get_node_id(), "shares": shares, **versions()}

    def begin(self, job: Job, slot: Slot) -> int:
        """Start a cell, and tell the number of its process; there is one at a time."""
        if slot.device != "cpu":
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")  # set by Ray, to the GPU that is this actor's
            slot = replace(slot, device=f"cuda:{visible}")
        self.ended = None
        self.handle = self.engine.submit(job, slot)
        return self.handle.process.pid

    def news(self) -> tuple[list[dict[str, Any]], Ended | None]:
        """What the cell has told since the last call, as soon as there is something, and how it ended, if it has."""
        if self.ended is not None:
            return [], self.ended  # the answer before was lost on its way
        handle = self.handle
        connections.wait([handle.connection, handle.process.sentinel], PATIENCE)
        time.sleep(BATCH)
        done = handle.done()  # asked before the events are read: what a cell says last, it says before it ends
        events = handle.events()
        if done:
            self.ended = handle.result()
        return events, self.ended

    def files(self) -> dict[str, bytes]:
        """The files of the cell that has ended, where the results lie behind a URL."""
        return self.handle.store.pack(self.handle.job.cell.id)

    def stop(self) -> None:
        """Ask the cell to save its state and to end."""
        self.handle.stop()

    def kill(self) -> None:
        """End the cell now; `news` tells when it has ended."""
        self.handle.asked = True
        self.handle.process.kill()
