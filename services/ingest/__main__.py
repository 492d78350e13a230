"""`python -m services.ingest`: reads the settings and runs the service."""

from __future__ import annotations

from functools import partial

from libs.runtime import lifecycle, logging, settings
from services.ingest.app import run
from services.ingest.settings import IngestSettings


def main() -> None:
    """Exits with status 2, naming the variable, when a setting is wrong."""
    loaded = settings.load(IngestSettings)
    logging.configure("ingest", loaded.log_level)
    lifecycle.run(partial(run, loaded))


if __name__ == "__main__":
    main()
