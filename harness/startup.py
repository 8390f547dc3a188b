"""Prepare the process before anything else is imported, and describe unexpected errors.

This module imports only what Python has already loaded: `prepare_process` runs before any other import.
"""

from __future__ import annotations

import codecs
import os
import sys

DEBUG = "BENCH_DEBUG"  # environment variable: show tracebacks
# Modules outside the standard library that this program imports. A file of such a name beside the data must not shadow
# them.
LIBRARIES = frozenset(
    "harness tasks accelerate click datasets evaluate fsspec gguf huggingface_hub msgspec numpy optuna pandas peft pyarrow rich sacrebleu safetensors "
    "scipy sentencepiece seqeval sklearn tokenizers torch transformers typer yaml".split()
)
# ASCII replacements for the characters of our own output, for terminals and logs that cannot encode them.
PLAIN = {
    "·": "-", "–": "-", "—": "-", "…": "...", "±": "+-", "†": "+", "‡": "#", "§": "$", "¶": "P", "◊": "o", "ˢ": "s", "✗": "x", "×": "x",
    "→": "->", "∞": "inf", "‘": "'", "’": "'", "“": '"', "”": '"', "≥": ">=", "≤": "<=", "━": "-", "─": "-", "│": "|", "•": "*",
}  # fmt: skip
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def prepare_process() -> None:
    """Prepare the process. Exit with status 2 and one line if a file shadows a module."""
    _remove_current_folder_from_path()
    if message := _find_shadowing_file():
        print(f"bench: {message}", file=sys.stderr)
        sys.exit(2)
    _restart_in_utf8_mode()
    replace_unprintable()
    # Child processes must not have the current folder on their path. Python reads this variable when it starts.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    _set_hub_folder()


def _remove_current_folder_from_path() -> None:
    """Undo that `python -m harness` puts the current folder first on the path, unless the package itself is there."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()) and os.getcwd() != ROOT:
        del sys.path[0]


def _find_shadowing_file() -> str:
    """Return an error message if a file in a folder of PYTHONPATH would be imported instead of a module, else ""."""
    for folder in dict.fromkeys(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))):
        try:
            if os.path.samefile(folder, ROOT):
                continue
            names = os.listdir(folder)
        except OSError:
            continue
        for name in sorted(names):
            module, ending = os.path.splitext(name)
            known = module in LIBRARIES or module in sys.stdlib_module_names
            is_package = not ending and os.path.isfile(os.path.join(folder, name, "__init__.py"))
            installed = any(
                other.lower().replace("-", "_").startswith(f"{module}_") for other in names if other.endswith("-info")
            )
            if known and (ending == ".py" or is_package) and not installed:
                path = os.path.join(folder, name)
                return (
                    f"{path} would be imported in place of the module {module}, because its folder is on PYTHONPATH; "
                    f"rename it, or take {folder} out of PYTHONPATH"
                )
    return ""


def _restart_in_utf8_mode() -> None:
    """Restart in Python's UTF-8 mode if the locale (such as C) cannot encode all file names."""
    encoding = sys.getfilesystemencoding().lower().replace("_", "-")
    if encoding in ("utf-8", "utf8") or sys.flags.utf8_mode or sys.flags.ignore_environment or os.name != "posix":
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)  # output stays in the terminal's encoding
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def replace_unprintable() -> None:
    """Print an ASCII replacement, or `?`, for characters that the terminal's encoding lacks."""
    codecs.register_error("bench", _to_ascii)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="bench")


def _to_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "?") for letter in letters), error.end


def _set_hub_folder() -> None:
    """Set HF_HOME to a temporary folder if there is no writable home: libraries would create a folder `~` here."""
    if any(os.environ.get(name) for name in ("HF_HOME", "XDG_CACHE_HOME")) or os.name != "posix":
        return
    home = os.path.expanduser("~")
    ancestor = os.path.join(home, ".cache", "huggingface")
    while home.startswith("/") and not os.path.exists(ancestor) and ancestor != "/":
        ancestor = os.path.dirname(ancestor)
    if home.startswith("/") and os.access(ancestor, os.W_OK):
        return
    import tempfile

    folder = os.path.join(tempfile.gettempdir(), f"bench-huggingface-{os.getuid()}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.lstat(folder).st_uid != os.getuid() or os.path.islink(folder):
            folder = tempfile.mkdtemp(prefix="bench-huggingface-")  # the other one is another user's
    except OSError:
        return
    os.environ["HF_HOME"] = folder
    print(
        f"bench: no home folder that can be written: downloads go to {folder}, and no cache is kept; HF_HOME and BENCH_CACHE name "
        "other places",
        file=sys.stderr,
    )


def describe_unexpected(error: BaseException) -> str:
    """Return one line on an unexpected error and the file with its traceback; with BENCH_DEBUG print the traceback."""
    import tempfile
    import traceback

    from harness.safe_text import plain, redact

    trace = redact("".join(traceback.format_exception(error)))
    summary = plain(redact(f"{type(error).__name__}: {error}"))
    summary = summary if len(summary) <= 300 else summary[:299] + "…"
    if os.environ.get(DEBUG):
        print(trace, file=sys.stderr, end="")
        return summary
    try:
        descriptor, name = tempfile.mkstemp(".txt", "bench-traceback-")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError:
        return f"{summary}; bench --debug … shows the traceback"
    return f"{summary}; the traceback: {name}"
