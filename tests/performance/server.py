"""The simulated faction as a process of its own, which ends when its input does.

Its clock stands, so that every run of every peer is answered the same; a request costs no budget.
"""

from __future__ import annotations

import sys
import time

from shared.simulator import FactionSize, Simulator

__all__: list[str] = []

if __name__ == "__main__":
    now = time.time()
    size = FactionSize(crimes=int(sys.argv[1]))
    with Simulator(clock=lambda: now, faction=size, calls_per_minute=1_000_000_000) as api:
        print(api.url, api.key, flush=True)
        sys.stdin.read()
