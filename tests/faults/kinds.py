"""The kinds of faults, and which of them a run of the command meets."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

FILES = ("record.json", "predictions.jsonl", "checkpoint.safetensors")
# kind -> what is planned for the processes themselves; `turn` is drawn where it is missing.
WITHIN: dict[str, list[dict[str, Any]]] = {
    "exception while data are read": [{"at": "data", "act": "raise"}],
    "exception while a head is built": [{"at": "head", "act": "raise"}],
    "exception in a metric": [{"at": "metric", "act": "raise"}],
    "exception in a training step": [{"at": "step", "act": "raise"}],
    "segmentation fault in a training step": [{"at": "step", "act": "segmentation"}],
    "SIGKILL of a worker in a training step": [{"at": "step", "act": "SIGKILL"}],
    "SIGTERM of a worker": [{"at": "step", "act": "SIGTERM"}],
    "SIGSTOP of a worker, with --timeout": [{"at": "step", "act": "SIGSTOP"}],
    "error of the disk while a file is written": [{"at": "write before", "act": "io", "file": name} for name in FILES],
    "end of a worker between a file and its name": [
        {"at": "write between", "act": "exit", "file": name} for name in FILES
    ],
    "end of a worker right after a file has its name": [
        {"at": "write after", "act": "exit", "file": name} for name in FILES
    ],
    "end of the parent while it writes leaderboard.md": [
        {"at": "write between", "act": "exit", "file": "leaderboard.md"}
    ],
}
CLOCK = "clocks that jump by hours and days"
WORKER, PARENT, ALL, SERVER = (
    "SIGKILL of a worker",
    "SIGKILL of the parent",
    "SIGKILL of parent and workers",
    "SIGKILL of the fork server",
)
INTERRUPT, TWICE, TERMINATE = "SIGINT", "SIGINT twice", "SIGTERM"
GROUP_INTERRUPT, GROUP_TERMINATE = (
    "SIGINT of all processes, as a terminal sends it",
    "SIGTERM of all processes, as a batch system sends it",
)
ENDING = (PARENT, ALL, INTERRUPT, TWICE, TERMINATE, GROUP_INTERRUPT, GROUP_TERMINATE)
WITHOUT = (WORKER, SERVER, *ENDING)
DAMAGED = {
    "damaged record.json": "record.json",
    "damaged predictions.jsonl": "predictions.jsonl",
    "damaged checkpoint": "checkpoint.safetensors",
    "files that a killed process left": "left",
}
SECOND = "a second run on the same folder"
KINDS = (*WITHOUT, *WITHIN, CLOCK, *DAMAGED, SECOND)


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: one of `KINDS`.
        number: unlike that of any other fault.
        values: what the kind needs: a moment, a plan for the processes, a way to damage a file.
        happened: whether it could be done; what comes after the end of a run cannot.
    """

    kind: str
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    happened: bool = False

    @property
    def id(self) -> str:
        return f"fault-{self.number}"


@dataclass
class Drawn:
    """What a run, or two at once, will meet."""

    faults: list[Fault]

    def of(self, *kinds: str) -> list[Fault]:
        return [fault for fault in self.faults if fault.kind in kinds]


def draw(chance: random.Random, numbers: Any, many: dict[str, int], steps: int) -> Drawn:
    """Faults for one run: those kinds first that have come least so far.

    Args:
        chance: decides.
        numbers: gives the next fault's number.
        many: kind → how often it has happened; those of this run are not added.
        steps: of a training.
    """

    def pick(kinds: Any) -> str:
        return min(kinds, key=lambda kind: (many.get(kind, 0), chance.random()))

    kinds = [pick(WITHOUT)] if chance.random() < 0.8 else []
    inner = [kind for kind in WITHIN if "leaderboard" not in kind]
    for _ in range(chance.choice((2, 3, 3, 4))):
        kinds.append(pick([kind for kind in inner if kind not in kinds]))
    if not set(kinds) & set(ENDING):
        kinds.append(pick([kind for kind in WITHIN if "leaderboard" in kind]))
    kinds.append(pick(DAMAGED))
    kinds += [kind for kind, often in ((CLOCK, 0.25), (SECOND, 0.2)) if chance.random() < often]
    return Drawn([Fault(kind, next(numbers), _values(kind, chance, steps)) for kind in kinds])


def _values(kind: str, chance: random.Random, steps: int) -> dict[str, Any]:
    if kind in WITHIN:
        planned = dict(chance.choice(WITHIN[kind]))
        planned["turn"] = chance.randrange(1, steps) if planned["at"] == "step" else 1
        if planned["at"] == "metric":
            planned["turn"] = chance.randrange(1, 8)
        return planned
    if kind in WITHOUT:
        # Most moments are among trainings; some in the start of the program and of its workers.
        return {"moment": chance.random(), "early": chance.random() < 0.2, "gap": chance.random() * 0.5}
    if kind == CLOCK:
        return {"clock": chance.randrange(1000)}
    if kind in DAMAGED:
        return {"damage": chance.choice(("cut", "empty", "noise", "other")), "which": chance.random()}
    return {"gap": chance.random() * 3}
