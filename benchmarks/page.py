"""How large is the page of a large board, and how long does it take to make?

    python benchmarks/page.py --folder many --output many.html

Makes a folder of 30 models × 12 tasks × 5 seeds with predictions (kept, and used again where it is there), then the page, each
in a fresh process, and prints seconds by the clock, the largest resident memory and the size of the page. The first time the
intervals of the board are computed too; the second time they come from the cache. Where playwright and Chromium are there, it
prints how long the page takes to open, too.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
from pathlib import Path

import page_records
from scale import measure


def main() -> None:
    """Make the folder and the page, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    for name, number in (("models", 30), ("tasks", 12), ("seeds", 5)):
        parser.add_argument(f"--{name}", type=int, default=number)
    options = parser.parse_args()
    if not options.folder.exists():
        page_records.write(options.folder, options.models, options.tasks, options.seeds)
    here = Path.cwd()
    words = ["leaderboard", "--results", str(options.folder), "--format", "html", "--output", str(options.output)]
    for number in (1, 2):
        seconds, _, memory = measure(words, here)
        print(f"{number}: {seconds:.1f} s, {memory:.0f} MiB, {options.output.stat().st_size / 1e6:.2f} MB")
    if importlib.util.find_spec("playwright") and (program := shutil.which("chromium")):
        print(f"opened in {opening(options.output, program):.2f} s")


def opening(page: Path, program: str) -> float:
    """Seconds until the browser has the page, with all that its scripts do at the start."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page()
        shown.goto(page.absolute().as_uri())
        found = shown.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        browser.close()
    return found / 1000


if __name__ == "__main__":
    main()
