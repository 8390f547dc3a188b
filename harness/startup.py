"""Where the program meets what is around it: the folder it is started in, the terminal, the home folder, errors that nobody expected.

`enter` is called before anything else is imported, so this module imports nothing but what Python has loaded already.
"""

from __future__ import annotations

import codecs
import os
import sys

DEBUG = "BENCH_DEBUG"  # a variable of the environment: show tracebacks
# What else is imported from outside of Python's own library: a file of such a name beside the data must not be taken for it.
LIBRARIES = frozenset(
    "harness tasks accelerate click datasets evaluate fsspec gguf huggingface_hub msgspec numpy optuna pandas peft pyarrow rich sacrebleu safetensors "
    "scipy sentencepiece seqeval sklearn tokenizers torch transformers typer yaml".split()
)
# Characters of our own lines, where a terminal or log cannot show them.
PLAIN = {
    "·": "-", "–": "-", "—": "-", "…": "...", "±": "+-", "†": "+", "‡": "#", "§": "$", "¶": "P", "◊": "o", "ˢ": "s", "✗": "x", "×": "x",
    "→": "->", "∞": "inf", "‘": "'", "’": "'", "“": '"', "”": '"', "≥": ">=", "≤": "<=", "━": "-", "─": "-", "│": "|", "•": "*",
}  # fmt: skip
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def prepare_process() -> None:
    """Prepare the process; ends it with status 2 and one line where a file stands in the way of a module."""
    _leave_the_folder()
    if standing := _in_the_way():
        print(f"bench: {standing}", file=sys.stderr)
        sys.exit(2)
    _read_names_as_utf8()
    replace_unprintable()
    # Processes that this one starts: the current folder is not on their path. Python reads it when it starts.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    _have_a_place_for_the_hub()


def _leave_the_folder() -> None:
    """`python -m harness` puts the current folder before all others: take it away, unless the package itself is there."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()) and os.getcwd() != ROOT:
        del sys.path[0]


def _in_the_way() -> str:
    """What to say of a file that would be imported in place of a module; empty: there is none.

    Looked at are the folders of PYTHONPATH: Python searches them before its own.
    """
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
            package = not ending and os.path.isfile(os.path.join(folder, name, "__init__.py"))
            installed = any(
                other.lower().replace("-", "_").startswith(f"{module}_") for other in names if other.endswith("-info")
            )
            if known and (ending == ".py" or package) and not installed:
                path = os.path.join(folder, name)
                return (
                    f"{path} would be imported in place of the module {module}, for PYTHONPATH names its folder; rename it, or take "
                    f"{folder} out of PYTHONPATH"
                )
    return ""


def _read_names_as_utf8() -> None:
    """Where the locale cannot encode the names of all files, as C cannot, start again in Python's UTF-8 mode."""
    encoding = sys.getfilesystemencoding().lower().replace("_", "-")
    if encoding in ("utf-8", "utf8") or sys.flags.utf8_mode or sys.flags.ignore_environment or os.name != "posix":
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)  # what is printed stays in the terminal's encoding
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def replace_unprintable() -> None:
    """Print plain characters, or `?`, for those that the terminal's encoding does not have."""
    codecs.register_error("bench", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="bench")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "?") for letter in letters), error.end


def _have_a_place_for_the_hub() -> None:
    """Without a home folder that can be written, libraries would make a folder `~` here: name another place, and say so."""
    if any(os.environ.get(name) for name in ("HF_HOME", "XDG_CACHE_HOME")) or os.name != "posix":
        return
    home = os.path.expanduser("~")
    there = os.path.join(home, ".cache", "huggingface")
    while home.startswith("/") and not os.path.exists(there) and there != "/":
        there = os.path.dirname(there)
    if home.startswith("/") and os.access(there, os.W_OK):
        return
    import tempfile

    place = os.path.join(tempfile.gettempdir(), f"bench-huggingface-{os.getuid()}")
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        if os.lstat(place).st_uid != os.getuid() or os.path.islink(place):
            place = tempfile.mkdtemp(prefix="bench-huggingface-")  # somebody else's
    except OSError:
        return
    os.environ["HF_HOME"] = place
    print(
        f"bench: no home folder that can be written: downloads go to {place}, and no cache is kept; HF_HOME and BENCH_CACHE name "
        "other places",
        file=sys.stderr,
    )


def describe_unexpected(error: BaseException) -> str:
    """One line on an error that nobody expected, and where its traceback is; with BENCH_DEBUG the traceback is printed as well."""
    import tempfile
    import traceback

    from harness.safe_text import plain, redact

    trace = redact("".join(traceback.format_exception(error)))
    what = plain(redact(f"{type(error).__name__}: {error}"))
    what = what if len(what) <= 300 else what[:299] + "…"
    if os.environ.get(DEBUG):
        print(trace, file=sys.stderr, end="")
        return what
    try:
        number, name = tempfile.mkstemp(".txt", "bench-traceback-")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError:
        return f"{what}; bench --debug … shows the traceback"
    return f"{what}; the traceback: {name}"
