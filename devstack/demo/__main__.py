"""`python -m devstack.demo [--once]`: starts everything, shows it at work, tells how to go on by hand."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from devstack.demo.channels import show_channels
from devstack.demo.examples import MEMBER
from devstack.demo.people import operator_token, token
from devstack.demo.tour import Outcome, Tour
from devstack.layout import Layout
from devstack.outside import Outside
from devstack.progress import Progress
from devstack.run import watch
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import SMTP_PORT, Stack, development_directory, refuse_when_occupied


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when everything arrived, 1 when something did not."""
    options = _options(arguments)
    refuse_when_occupied()
    progress = Progress()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both raise KeyboardInterrupt
    with SmtpPeer(SMTP_PORT) as mail, Outside(development_directory() / "outside") as outside:
        environment = smtp_environment(mail.port) | outside.environment()
        layout = Layout(fixed_ports=True, environment=environment)
        with Stack(development_directory(), layout, progress=progress) as stack:
            tour = Tour(stack.services.url("gateway"), stack.kafka.bootstrap, mail, progress)
            outcomes = asyncio.run(tour.show())
            _judge(outcomes, progress)
            progress.note("one notification in every dialect and on every channel:")
            lost = asyncio.run(show_channels(stack.services.url("gateway"), outside, progress))
            if not options.once:
                _tell(stack, progress)
                try:
                    watch(stack, progress)
                except KeyboardInterrupt:
                    progress.note("stopping")
    return 1 if lost or any(outcome.missing for outcome in outcomes) else 0


def _judge(outcomes: Sequence[Outcome], progress: Progress) -> None:
    missing = [f"{outcome.example.name}: {what}" for outcome in outcomes for what in outcome.missing]
    if missing:
        progress.note(f"[red]{len(missing)} did not arrive[/]: look into the logs of the services")
    else:
        progress.note(f"[green]all {len(outcomes)} events arrived everywhere they should[/]")


def _tell(stack: Stack, progress: Progress) -> None:
    gateway, ingest = stack.services.url("gateway"), stack.services.url("ingest")
    progress.note("")
    progress.note(
        f"gateway {gateway} · API description {ingest}/docs · metrics …/metrics · data and logs {stack.directory}"
    )
    progress.note("publish:  echo '{\"event\": …}' | .venv/bin/carillon publish --kafka -   (or POST /api/v1/events)")
    progress.note(f"connect:  io('{gateway}', {{extraHeaders: {{Authorization: 'Bearer …'}}}}) with the token")
    progress.note(f"  {MEMBER}: {token(MEMBER)}")
    progress.note(f"  operator: {operator_token()}")
    progress.note("Ctrl-C stops everything and keeps the data")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack.demo", description="Show Carillon at work.")
    parser.add_argument("--once", action="store_true", help="end after the tour")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
