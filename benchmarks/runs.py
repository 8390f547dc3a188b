"""Runs in fresh processes, one at a time, each kept as a file: what is finished is not run again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from harness.files import write_text


def kept(file: Path, work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """The result in `file`, or that of `work(*arguments)` in a fresh process, which is then kept there.

    `with_start_seconds` is added: from before the process starts until its result is here.
    """
    if file.exists():
        return json.loads(file.read_text(encoding="utf-8"))
    # Spawned, not forked: nothing that an earlier run has loaded or cached is there, and peak memory starts from nothing.
    started = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        result = pool.submit(work, *arguments).result()
        result["with_start_seconds"] = time.perf_counter() - started
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(result, indent=1) + "\n")
    return result
