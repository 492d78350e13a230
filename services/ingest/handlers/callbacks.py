"""Providers' call-backs: only what is truly theirs has an effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libs.runtime.logging import get_logger
from services.ingest.domain.callbacks import amazon, twilio
from services.ingest.domain.reports import Report
from services.ingest.metrics import REPORTS
from services.ingest.ports.administering import Suppressions
from services.ingest.ports.reporting import Certificates, Reports

_log = get_logger(__name__)


class NotTheirs(Exception):
    """The signature is wrong, or nobody said whose it should be."""


class Callbacks:
    """`twilio_token` reads the account's token anew, None where there is none; `topics` are the ARNs that are taken."""

    def __init__(
        self,
        reports: Reports,
        suppressions: Suppressions,
        certificates: Certificates,
        *,
        twilio_token: Callable[[], str | None],
        topics: Sequence[str],
    ) -> None:
        self._reports, self._suppressions, self._certificates = reports, suppressions, certificates
        self._twilio_token, self._topics = twilio_token, frozenset(topics)

    async def twilio_status(
        self, form: twilio.Form, signature: str, url: str, named: tuple[str | None, str | None]
    ) -> None:
        """The state of a text. Raises NotTheirs, Retryable."""
        self._check_twilio(form, signature, url)
        report = twilio.report(form, *named)
        if report is not None:
            await self.take(report)

    async def twilio_answer(self, form: twilio.Form, signature: str, url: str) -> None:
        """STOP and START. Raises NotTheirs, Retryable."""
        self._check_twilio(form, signature, url)
        answer = twilio.answer(form)
        if answer is not None:
            changed = await self._suppressions.opted(answer.number, out=answer.out, source=twilio.PROVIDER)
            _log.info("person_answered", status="stop" if answer.out else "start", count=changed)

    async def amazon(self, message: Mapping[str, Any]) -> None:
        """An SNS message with an event of SES in it. Raises NotTheirs, Retryable."""
        certificate = await self._certificates.fetch(str(message.get("SigningCertURL")))
        if certificate is None or message.get("TopicArn") not in self._topics:
            raise NotTheirs
        if not amazon.is_signed(message, certificate):
            raise NotTheirs
        if message["Type"] == "SubscriptionConfirmation":
            await self._certificates.confirm(str(message.get("SubscribeURL")))
            return
        for report in amazon.reports(message):
            await self.take(report)

    async def take(self, report: Report) -> bool:
        """Whether the delivery is known."""
        known = await self._reports.apply(report)
        REPORTS.labels(report.provider, report.event if known else "unknown-delivery").inc()
        _log.info("report_taken", provider=report.provider, status=report.event, code=report.code, known=known)
        return known

    def _check_twilio(self, form: twilio.Form, signature: str, url: str) -> None:
        token = self._twilio_token()
        if not token or not twilio.is_signed(signature, url, form, token):
            raise NotTheirs
