"""A headless Chromium, told what to do through a pipe (--remote-debugging-pipe).

What is said is the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/), JSON
with a zero byte behind each message.
"""

import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

PATIENCE_S = 40.0
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Done once what was changed is drawn: after the frame that follows."""
NAMES = ("chromium", "chromium-browser", "google-chrome")


class BrowserError(Exception):
    """There is no browser, it does not answer, or the page is not as it should be."""


def executable() -> str:
    """Return the browser's path.

    Raises:
        BrowserError: there is none.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise BrowserError("no Chromium: install Debian's package chromium (tools/setup does)")
    return found


class Browser:
    """One browser with one page; what goes wrong in it is kept. `close` ends it."""

    def __init__(self, profile: Path, *, width: int = 1200, height: int = 900) -> None:
        """Start it with its files in *profile*."""
        self._pid, self._in, self._out = _started(profile, width, height)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.troubles: list[str] = []
        """Errors, in the console or thrown, and what the security policy refused."""
        self.requests: list[str] = []
        """Addresses that were asked for."""
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        """Let what is said from now on be to the page, and hear what goes wrong in it."""
        targets = self.command("Target.getTargets")["targetInfos"]
        target = next(one for one in targets if one["type"] == "page")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Say it, and return the answer."""
        self._number += 1
        said: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            said["sessionId"] = self._session
        data = json.dumps(said).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while (message := self._receive()).get("id") != self._number:
            self._note(message)
        if "error" in message:
            raise BrowserError(f"{method}: {message['error']}")
        result: dict[str, Any] = message["result"]
        return result

    def open(self, url: str) -> None:
        """Load a page, and wait until it says that it is ready."""
        self.command("Page.navigate", url=url)
        self.wait("document.documentElement?.dataset.ready !== undefined")

    def evaluate(self, script: str) -> Any:
        """Return what an expression gives."""
        found = self.command(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise BrowserError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Return once an expression is true; the page is asked again every 10 ms."""
        end = time.monotonic() + PATIENCE_S
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise BrowserError(f"never true: {condition}; {self.troubles}")
            self.evaluate("new Promise(done => setTimeout(done, 10))")

    def settle(self) -> None:
        """Wait until the page has drawn what was changed."""
        self.evaluate(DRAWN)

    def key(self, key: str) -> None:
        """Press a key, and let go."""
        text = {"text": key} if len(key) == 1 else {}
        codes = {"ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, "End": 35}
        code = codes.get(key, 13 if key == "Enter" else 0)
        for kind in ("keyDown", "keyUp"):
            self.command(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text
            )

    def click(self, x: float, y: float) -> None:
        """Click at a point of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    def close(self) -> None:
        """End it, with all that it started."""
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._in)
        os.close(self._out)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], PATIENCE_S)
            if not ready:
                raise BrowserError("the browser does not answer")
            data = os.read(self._in, 1 << 16)
            if not data:
                raise BrowserError("the browser has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.troubles.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded":
                self.troubles.append(str(parameters["entry"]["text"]))
            case "Runtime.consoleAPICalled":
                self.troubles.append(str(parameters["args"]))
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])


def _started(profile: Path, width: int, height: int) -> tuple[int, int, int]:
    """Start a browser; return its process, the end to read from and the one to write to."""
    command = [
        executable(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
        "--disable-component-update", f"--user-data-dir={profile}",
        f"--window-size={width},{height}", "--remote-debugging-pipe", "about:blank",
    ]  # fmt: skip
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    nowhere = os.open(os.devnull, os.O_RDWR)
    # Chromium reads from descriptor 3 and writes to 4; what is there must not be in the way.
    ends = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (theirs_in, theirs_out)]
    pid = os.posix_spawn(
        command[0], command, os.environ, setsid=True,
        file_actions=[
            *((os.POSIX_SPAWN_DUP2, nowhere, number) for number in range(3)),
            *((os.POSIX_SPAWN_DUP2, end, 3 + number) for number, end in enumerate(ends)),
        ],
    )  # fmt: skip
    for one in (*ends, theirs_in, theirs_out, nowhere):
        os.close(one)
    return pid, ours_in, ours_out
