"""`/api/v1/opens/{token}`: the picture in mails of tenants that want to know whether they are opened.

Every answer is the same picture, whatever the token says, whether the mail is known or not, and with the database away:
nothing can be found out by asking.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from libs.auth.links import OPENS, verify_opened
from libs.http.problems import Problem
from libs.http.quotas import Quotas
from libs.runtime.quota import Quota
from services.ingest import metrics
from services.ingest.errors import Retryable
from services.ingest.ports.reporting import Opens

#: A dot that nobody sees.
PICTURE = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_OF_A_MAIL = Quota("opens", "opens", per_second=0.1, burst=3)


def router(opens: Opens, secret: str | None) -> APIRouter:
    """`secret` signs the links; without it there are none."""
    routes = APIRouter(prefix=OPENS.rstrip("/"), tags=["opens"])
    quotas = Quotas(_OF_A_MAIL)

    async def noted(token: str) -> str:
        opened = verify_opened(token, secret) if secret else None
        if opened is None:
            return "unknown"
        try:
            quotas.take(f"{opened.tenant} {opened.delivery}")
            return "recorded" if await opens.record(opened) else "nothing-new"
        except Problem:
            return "limited"
        except Retryable:
            return "unavailable"

    @routes.get("/{token}", response_class=Response, responses={200: {"content": {"image/gif": {}}}})
    async def fetch(token: str) -> Response:
        """A transparent picture. That the mail was opened is told once, on the topic notification.lifecycle."""
        metrics.OPENS.labels(await noted(token)).inc()
        return Response(PICTURE, media_type="image/gif", headers=_HEADERS)

    return routes
