"""A file system for tests, on this machine's disk, whose operations fail as often as one says. Its URLs begin with `faulty://`."""

from __future__ import annotations

import fsspec
from fsspec.implementations.local import LocalFileSystem


class Outage(Exception):
    """What it raises; as with many file systems, no OSError."""


class FaultyFileSystem(LocalFileSystem):
    """Each operation first looks whether it is to fail."""

    protocol = "faulty"
    failures: dict[str, int] = {}  # operation → how often it still fails
    told = "the store is away, said with token hf_SECRETsecret123"

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(str(path).removeprefix("faulty://"))

    def _perhaps(self, what):
        if self.failures.get(what, 0) > 0:
            self.failures[what] -= 1
            raise Outage(self.told)

    def put_file(self, local, target, *words, **more):
        self._perhaps("put")
        if self.failures.get("half", 0) > 0:  # the connection breaks in the middle
            self.failures["half"] -= 1
            with open(local, "rb") as source, open(target, "wb") as file:
                file.write(source.read()[:10])
            raise Outage(self.told)
        super().put_file(local, target, *words, **more)

    def get_file(self, name, local, *words, **more):
        self._perhaps("get")
        super().get_file(name, local, *words, **more)

    def find(self, path, *words, **more):
        self._perhaps("list")
        return super().find(path, *words, **more)


fsspec.register_implementation("faulty", FaultyFileSystem, clobber=True)
