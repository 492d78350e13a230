"""The notification centre in a real browser, on a page of another origin than the gateway's (F3-5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from tests.contract.browser import BROWSER, browsing
from tests.contract.client_library import PACKAGE, build, library, refusing
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = [
    pytest.mark.covers("F1-7", "F3-5"),
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian's package is enough)"),
]
_PAGE = Path(__file__).parent / "js" / "inbox_element.html"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_PAGE)


@pytest.fixture
async def page_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the page is served, with the library as it was built."""
    build(tmp_path_factory.getbasetemp().parent / "client-library.lock")
    application = web.Application()
    application.router.add_static("/dist", PACKAGE / "dist")
    application.router.add_static("/node_modules", PACKAGE / "node_modules")
    application.router.add_get("/", _page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_the_notification_centre(
    gateways: Gateways, scribe: Scribe, name: str, page_url: str, tmp_path: Path
) -> None:
    bearer, room = token(f"u{name}"), f"user:u{name}"
    url = f"{page_url}?{urlencode({'gateway': gateways.url, 'token': bearer})}"
    async with browsing(url, tmp_path / "browser") as page, library(gateways.other, token=bearer) as phone:
        await page.until("window.isOnline && isOnline()")
        assert await page.evaluate("shown('badge')") is None  # nothing new, nothing open
        await page.click("part('bell')")
        await page.until("shown('empty')", "No notifications")
        assert await page.evaluate("shown('read-all')") is None
        await page.click("document.body")
        await page.until("shown('popover')", None)

        markup = "<img src=x onerror='document.title = 1'>"
        first = await scribe.publish(room, title="First", message=markup)
        second = await scribe.publish(room, title="Second")
        await page.until("shown('toasts').includes('First') && shown('toasts').includes(\"<img src=x\")")
        await page.until("shown('badge')", "2")
        await page.click("part('bell')")
        await page.until("rows()", [["Second", "unread"], ["First", "unread"]])
        await page.until("shown('badge')", None)  # they have been seen
        assert await page.evaluate("shown('read-all')") == "Mark all read"

        await page.click("part('list').children[1].firstChild")
        await page.until("rows()", [["Second", "unread"], ["First", "read"]])
        await page.until("document.title", "First")
        await phone.next("change", lambda change: change == {"operation": "read", "id": str(first.id)})
        assert await phone.do("act", [str(second.id), "read"]) == "ok"
        await page.until("rows()", [["Second", "read"], ["First", "read"]])
        await page.until("shown('read-all')", None)
        assert await phone.do("act", [str(second.id), "unread"]) == "ok"
        await page.until("shown('read-all')", "Mark all read")
        await page.click("part('read-all')")
        await page.until("rows()", [["Second", "read"], ["First", "read"]])

        await page.click("part('list').children[0].lastChild")
        await page.until("rows()", [["First", "read"]])
        await phone.next("change", lambda change: change == {"operation": "deleted", "id": str(second.id)})
        await scribe.tell(await scribe.withdraw(first))
        await page.until("shown('empty')", "No notifications")


async def test_what_is_refused_is_taken_back_and_a_page_that_is_loaded_again_goes_on(
    gateways: Gateways, scribe: Scribe, name: str, page_url: str, tmp_path: Path
) -> None:
    url = f"{page_url}?{urlencode({'gateway': gateways.url, 'token': token(f'u{name}')})}"
    async with browsing(url, tmp_path / "browser") as page:
        await page.until("window.isOnline && isOnline() && 'state' in inbox.client.position")
        await scribe.publish(f"user:u{name}", title="First")
        await page.until("shown('badge')", "1")
        await page.click("part('bell')")
        await page.until("rows()", [["First", "unread"]])
        async with refusing(scribe):
            await page.click("part('list').children[0].lastChild")
            await page.until("shown('toasts').includes('That could not be done')")
        assert await page.evaluate("rows()") == [["First", "unread"]]
        before = await page.evaluate("inbox.client.position")
        await page.evaluate("window.isOnline = null, location.reload()")
        await page.until("window.isOnline && isOnline()")
        await page.until("rows()", [["First", "unread"]])
        assert await page.evaluate("[inbox.client.position, told]") == [before, []]  # no resync
