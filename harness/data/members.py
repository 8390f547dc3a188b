"""The files in a zip archive, and the archives that were made to write elsewhere than into their own folder."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from harness.errors import BenchError


def members(archive: zipfile.ZipFile, path: Path) -> list[str]:
    """The names of the files that a person put there: no folders, hidden files or remains of macOS.

    Raises:
        BenchError: a name that leads out of the archive's folder, or what is no file: a link, a device. No member of such an
            archive is read, though reading alone would do no harm: who made it meant harm.
    """
    for one in archive.infolist():
        if re.match(r"[/\\]|[A-Za-z]:", one.filename) or ".." in re.split(r"[/\\]", one.filename):
            what = "leads out of the archive's folder"
        elif stat.S_IFMT(one.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "is a link or a device, not a file"
        else:
            continue
        raise BenchError(f"{path}: {one.filename!r} {what}, so the archive is not read; make it anew from plain files")
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    ]
