"""A receiver of signed webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac

from starlette.responses import PlainTextResponse, Response

from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer

_STATUS = {Case.ACCEPTED: 204, Case.THROTTLED: 429, Case.BAD_ADDRESS: 410, Case.SERVER_ERROR: 500}


class WebhookReceiver(HttpPeer):
    """Takes only what one of the signatures proves, as a receiver does who knows one secret."""

    secret = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()

    def answer(self, got: Got, case: Case) -> Response:
        """401 for what cannot be proved."""
        if not self._proved(got):
            return PlainTextResponse("who are you?", 401)
        if case is Case.THROTTLED:
            return Response(None, 429, {"Retry-After": "7"})
        return Response(None, _STATUS[case])

    def _proved(self, got: Got) -> bool:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return expected in got.headers["webhook-signature"].split(" ")
