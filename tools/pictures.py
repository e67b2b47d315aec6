"""Takes the pictures of the documentation: docs/images/report-*.png.

    .venv/bin/python tools/pictures.py

A program with four threads is recorded, its report is made, and Chromium shows it, light and dark.
"""

import base64
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import Browser

TRACEFS = [sys.executable, "-P", "-m", "tracefs"]
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH, HEIGHT = 1100, 1000
PROGRAM = """
import os, random, threading

def work(number):
    chosen = random.Random(number)
    fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
    for turn in range(60):
        page = chosen.randrange(160)
        if chosen.random() < 0.05:
            os.lseek(fd, page * 4096, os.SEEK_SET)
            os.write(fd, bytes([number]) * 4096)
        else:
            os.pwrite(fd, bytes([number]) * 4096, page * 4096)
        if turn % 6 == number:
            os.fdatasync(fd)
    os.close(fd)

threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def taken(browser: Browser, name: str, *, dark: bool) -> None:
    """Keep what the window shows."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.command("Emulation.setEmulatedMedia", features=[scheme])
    browser.settle()
    data = browser.command("Page.captureScreenshot", format="png")["data"]
    (IMAGES / name).write_bytes(base64.b64decode(data))


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "store.py").write_text(PROGRAM)
        (scratch / "data").mkdir()
        recording, page = scratch / "store.trace", scratch / "report.html"
        run = [*TRACEFS, "run", "-q", "--dir", str(scratch / "data"), "-o", str(recording), "--"]
        command = [sys.executable, str(scratch / "store.py")]
        subprocess.run([*run, *command], cwd=scratch / "data", check=True)
        made = [*TRACEFS, "report", "store.trace", "-o", str(page), "--contract", "page-write"]
        subprocess.run(made, cwd=scratch, check=True)
        window = Browser(scratch / "profile", width=WIDTH, height=HEIGHT)
        with contextlib.closing(window) as browser:
            browser.open(f"{page.as_uri()}#call=150")
            browser.command(
                "Emulation.setDeviceMetricsOverride",
                width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False,
            )  # fmt: skip
            taken(browser, "report-light.png", dark=False)
            taken(browser, "report-dark.png", dark=True)


if __name__ == "__main__":
    main()
