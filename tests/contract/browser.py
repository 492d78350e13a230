"""A real browser (Chromium), by its own protocol: it opens a page, is asked what it shows, and is clicked in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
_DEADLINE = 30.0
_QUIET = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]


class Page:
    """The page that is open."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        given = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = await self._call("Runtime.evaluate", given)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, value: Any = True) -> None:
        """Waits until the expression has this value."""
        found = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DEADLINE):
                while (found := await self.evaluate(expression)) != value:
                    await asyncio.sleep(0.05)
                return
        raise AssertionError(f"{expression} is {found!r}, not {value!r}")

    async def click(self, element: str) -> None:
        """Clicks with the mouse in the middle of an element, which is given as a JavaScript expression."""
        middle = f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({element}.getBoundingClientRect())"
        x, y = await self.evaluate(middle)
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            await self._call("Input.dispatchMouseEvent", event)

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(await self._socket.recv())).get("id") != number:
            pass
        result: dict[str, Any] = answer["result"]
        return result


@contextlib.asynccontextmanager
async def browsing(url: str, directory: Path) -> AsyncIterator[Page]:
    """A browser of its own, with this page; `directory` is for what browsers keep."""
    assert BROWSER is not None
    arguments = [*_QUIET, f"--user-data-dir={directory}", "--remote-debugging-port=0", url]
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(BROWSER, *arguments, stdout=silent, stderr=silent)
    try:
        async with connect(await _address(directory / "DevToolsActivePort"), max_size=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        await process.wait()


async def _address(told: Path) -> str:
    """Where the page can be reached: the browser writes its port into a file when it listens."""
    async with asyncio.timeout(_DEADLINE), httpx.AsyncClient() as http:
        while True:
            if port := _port(told):
                pages = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
                if found := [page for page in pages if page["type"] == "page"]:
                    return str(found[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)


def _port(told: Path) -> str | None:
    lines = told.read_text().splitlines() if told.exists() else []
    return lines[0] if lines else None
