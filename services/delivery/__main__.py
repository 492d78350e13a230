"""`python -m services.delivery [--channel NAME|all]`: reads the settings and runs the service."""

from __future__ import annotations

import argparse
import contextlib
from functools import partial

from libs.runtime import lifecycle, logging
from libs.runtime.settings import load
from services.delivery.app import run
from services.delivery.handlers.patience import Stopped
from services.delivery.providers import CHANNELS
from services.delivery.settings import Settings


def main() -> None:
    """Ends with status 2 when a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services.delivery", description="Delivers notifications.")
    parser.add_argument("--channel", choices=[*CHANNELS, "all"], default="all", help="what this process delivers")
    channel = parser.parse_args().channel
    settings = load(Settings)
    logging.configure("delivery", settings.log_level)
    with contextlib.suppress(Stopped):  # told to stop before the neighbours were there
        lifecycle.run(partial(run, settings, list(CHANNELS) if channel == "all" else [channel]))


if __name__ == "__main__":
    main()
