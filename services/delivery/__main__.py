"""`python -m services.delivery [--channel NAME[,NAME…]|all]`: reads the settings and runs the service."""

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
    known = f"what this process delivers: {', '.join(CHANNELS)}, or several; all is CARILLON_CHANNELS"
    parser.add_argument("--channel", type=_channels, default=[], help=known)
    channels = parser.parse_args().channel
    settings = load(Settings)
    logging.configure("delivery", settings.log_level)
    with contextlib.suppress(Stopped):  # told to stop before the neighbours were there
        lifecycle.run(partial(run, settings, channels or settings.channels))


def _channels(text: str) -> list[str]:
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    if names == ["all"]:
        return []
    if unknown := [name for name in names if name not in CHANNELS]:
        raise argparse.ArgumentTypeError(f"nobody delivers on {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    main()
