"""A headless Chromium, driven over a pipe by its own protocol; no package beside the browser is needed."""

import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64decode
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

PROGRAMS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"),
)
PATIENCE = 60.0
VARIABLE = "ONESPIKE_BROWSER"
# The program reads commands from its descriptor 3 and answers on 4
HAND_OVER = """
import fcntl, os, sys
hears, says = (fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3])
os.dup2(hears, 3), os.dup2(says, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser() -> str | None:
    """A browser of the Chromium family: the one that the environment names, else one on PATH."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class Browser:
    """One page of a browser; what it logs as an error or throws is in `errors`."""

    def __init__(self, program: str) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.home = TemporaryDirectory(prefix="onespike-browser-", ignore_cleanup_errors=True)
        hears, self.writes = os.pipe()
        self.reads, says = os.pipe()
        options = (
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"),
            f"--user-data-dir={self.home.name}",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", HAND_OVER, str(hears), str(says), program, *options, "about:blank"],
            pass_fds=(hears, says),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(hears)
        os.close(says)
        self.received, self.sent, self.session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.writes)
        os.close(self.reads)
        self.process.terminate()
        self.process.wait()
        self.home.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, and its result; events that come first are noted."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.sent:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self.received:
            part = os.read(self.reads, 1 << 20)
            assert part, "the browser ended"
            self.received += part
        text, _, self.received = self.received.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        event = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = event["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded" if event["entry"]["level"] in ("error", "warning"):
                self.errors.append(event["entry"]["text"])
            case "Runtime.consoleAPICalled" if event["type"] in ("error", "warning", "assert"):
                self.errors.append(str([part.get("value") for part in event["args"]]))
            case "Network.requestWillBeSent":
                self.requests.append(event["request"]["url"])
        return message

    def open(self, path: Path, *, width: int, dark: bool = False) -> None:
        """Show a file in a window of this width, and wait until it is drawn."""
        self.errors.clear()
        self.requests.clear()
        self.look(width=width, dark=dark)
        self.call("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete'")

    def look(self, *, width: int, height: int = 800, dark: bool = False) -> None:
        """A window of another size, on a system in light or dark colours."""
        phone = width < 600
        scale = 2 if phone else 1
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def evaluate(self, expression: str) -> Any:
        """Value of an expression in the page, as JSON; a promise is awaited."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key: str, code: int) -> None:
        """A key, as a person presses it."""
        text = "\r" if key == "Enter" else ""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot of the page as PNG, the whole of it or what the window shows."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(b64decode(found["data"]))
