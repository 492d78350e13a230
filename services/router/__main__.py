"""`python -m services.router`."""

from __future__ import annotations

import sys
from functools import partial

from libs.runtime.lifecycle import run as run_until_stopped
from libs.runtime.logging import configure
from libs.runtime.settings import EXIT_BAD_SETTINGS, load
from services.router.app import run
from services.router.errors import Misconfigured
from services.router.settings import Settings


def main() -> int:
    """Exit status 2 for settings that cannot be served with."""
    settings = load(Settings)
    configure("router", settings.log_level)
    try:
        run_until_stopped(partial(run, settings))
    except Misconfigured as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_SETTINGS
    return 0


if __name__ == "__main__":
    sys.exit(main())
