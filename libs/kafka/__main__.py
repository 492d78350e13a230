"""`python -m libs.kafka topics`: creates the topics that are missing."""

from __future__ import annotations

import asyncio
import os
import sys

from libs.kafka.topics import ensure_topics


def main(arguments: list[str]) -> int:
    """Exit status 2 when called wrongly."""
    bootstrap = os.environ.get("CARILLON_KAFKA_BOOTSTRAP")
    if arguments != ["topics"] or not bootstrap:
        print("usage: CARILLON_KAFKA_BOOTSTRAP=host:port python -m libs.kafka topics", file=sys.stderr)
        return 2
    for name in asyncio.run(ensure_topics(bootstrap, os.environ.get("CARILLON_KAFKA_TOPIC_PREFIX", ""))):
        print(f"created {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
