"""Firefox, driven through WebDriver BiDi (https://w3c.github.io/webdriver-bidi): as much of it as looking at a page takes."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PLACE = shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """A Firefox without a window, with one page. said: what the page's console was told; asked: addresses it asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.said: list[str] = []
        self.asked: list[str] = []
        self.sent = 0
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.page = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **given: Any) -> Any:
        """What a command answers; what is told meanwhile is kept."""
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": given}))
        while True:
            told = json.loads(self.socket.recv(timeout=180))
            if told.get("id") == self.sent:
                assert told["type"] == "success", told
                return told["result"]
            if told.get("method") == "log.entryAdded":
                self.said.append(f"{told['params']['level']}: {told['params']['text']}")
            elif told.get("method") == "network.beforeRequestSent":
                self.asked.append(told["params"]["request"]["url"])

    def open(self, address: str) -> None:
        self.send("browsingContext.navigate", context=self.page, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, as JSON."""
        asked = f"Promise.resolve({expression}).then((one) => JSON.stringify(one ?? null))"
        answer = self.send("script.evaluate", expression=asked, target={"context": self.page}, awaitPromise=True)
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def wait(self, expression: str, seconds: float = 180) -> None:
        """Until an expression is true."""
        until = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < until, f"{expression} did not become true; the console was told {self.said}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.act({"type": "key", "id": "keyboard", "actions": keys})

    def move(self, x: float, y: float) -> None:
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y)}]
        self.act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves})

    def act(self, source: dict[str, Any]) -> None:
        self.send("input.performActions", context=self.page, actions=[source])


@contextmanager
def started(profile: Path) -> Iterator[Firefox]:
    """A Firefox that ends with the block; `profile` is an empty folder for what it keeps."""
    assert PLACE is not None
    command = [PLACE, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = next(filter(None, (re.search(r"ws://\S+", line) for line in process.stderr)))[0]
        with connect(f"{address}/session", max_size=None) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        process.wait(180)
