"""`python -m libs.postgres migrate`: brings the schema up to date."""

from __future__ import annotations

import asyncio
import os
import sys

from libs.postgres.migrations import migrate


def main(arguments: list[str]) -> int:
    """Exit status 2 when called wrongly."""
    dsn = os.environ.get("CARILLON_POSTGRES_DSN")
    if arguments != ["migrate"] or not dsn:
        print("usage: CARILLON_POSTGRES_DSN=postgresql://… python -m libs.postgres migrate", file=sys.stderr)
        return 2
    for name in asyncio.run(migrate(dsn)):
        print(f"applied {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
