"""Free TCP ports on the loopback address."""

from __future__ import annotations

import random
import socket

# Below the range from which the kernel takes ports for outgoing connections: a server that is restarted
# finds its port free again.
_FIRST, _LAST = 10_000, 28_000
_given: set[int] = set()
_random = random.SystemRandom()


def is_free(port: int) -> bool:
    """Whether nothing listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT does not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that is free now and was not given by this process before."""
    for _ in range(1_000):
        port = _random.randint(_FIRST, _LAST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST}")
