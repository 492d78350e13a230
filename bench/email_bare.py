"""The loop that delivery is measured beside: aiosmtplib, reused connections, a message that is ready, nothing else.

`python -m bench.email_bare PORT COUNT CONNECTIONS` prints the CPU seconds that it took.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiosmtplib
import uvloop

_MESSAGE = (
    b"Message-ID: <%d@example.test>\r\nDate: Sat, 21 Nov 2026 07:00:00 +0000\r\nFrom: carillon@example.test\r\n"
    b"To: ada@example.test\r\nSubject: Your report is ready\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + b"A line of some sixty characters, as many mails have them.\r\n"
    * 20
)


async def _send(port: int, numbers: range) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
        for number in numbers:
            await smtp.sendmail("carillon@example.test", ["ada@example.test"], _MESSAGE % number)


async def _all(port: int, count: int, connections: int) -> None:
    await asyncio.gather(*(_send(port, range(first, count, connections)) for first in range(connections)))


def main() -> None:
    """Sends them all."""
    port, count, connections = map(int, sys.argv[1:4])
    started = time.process_time()
    uvloop.run(_all(port, count, connections))
    print(time.process_time() - started)


if __name__ == "__main__":
    main()
