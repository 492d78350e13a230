"""`python -m services.gateway`: reads the settings and runs until SIGTERM."""

from __future__ import annotations

from functools import partial

from libs.runtime.lifecycle import run
from libs.runtime.logging import configure
from libs.runtime.settings import load
from services.gateway import app
from services.gateway.settings import Settings


def main() -> None:
    """Exit status 2 when a setting is wrong."""
    settings = load(Settings)
    configure("gateway", settings.log_level)
    run(partial(app.run, settings))


if __name__ == "__main__":
    main()
