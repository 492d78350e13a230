"""`python -m bench [name]`: runs the benchmarks one after the other and prints a JSON line for each figure."""

from __future__ import annotations

import asyncio
import importlib
import sys

NAMES = (
    "ingest", "router", "groups", "latency", "inbox", "email", "push", "webhook", "memory", "fanout", "gateway",
    "drain", "soak", "fairness",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Exit status 2 for a name that does not exist."""
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"no benchmark {unknown[0]}: there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in arguments or NAMES:
        print(f"measuring {name} …", file=sys.stderr)
        for result in asyncio.run(importlib.import_module(f"bench.{name}").measure()):
            print(result.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
