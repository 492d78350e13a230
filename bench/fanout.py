"""What a delivery, a connection and a unicast cost the fan-out transport, beside stock python-socketio.

Each server runs alone on one core, the load client (C, compiled here) on the others. Stock has fewer connections and
messages, so that its share of the run stays short; all figures are per delivery, connection or CPU second.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.emitting import figures
from bench.figures import Size, results
from bench.load import compiled, missing
from bench.peers import STOCK, STOCK_SIZE, python
from bench.result import Result

_SIZE = Size(connections=5_000, paced=80, flat_out=600, unicasts=100_000, slow_paced=20)


async def measure() -> list[Result]:
    """One result for each work."""
    if missing():
        print(missing(), file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        program = await compiled(Path(folder))
        stock = await figures(python("stock"), STOCK_SIZE, program)
        ours = await figures(python("ours"), _SIZE, program)
    return results("fanout", ours, {STOCK: stock})
