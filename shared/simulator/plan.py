"""Say which requests a fault strikes, and in what order faults come."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from shared.simulator.faults import FOREVER, Fault

__all__ = ["Faults"]

_SPEC = re.compile(
    r"(?P<name>[a-z0-9-]+?)(=(?P<amount>[0-9.]+))?(@(?P<where>[\w*-]+))?(:(?P<times>[0-9]+|\*)(:(?P<after>[0-9]+))?)?"
)


@dataclass(slots=True)
class _Plan:
    where: str
    fault: Fault
    times: int
    after: int


class Faults:
    """Hold the faults that are to come. Safe to use from several threads.

    A fault waits for requests whose path ends in ``where`` ("crimes"; "*" is any), lets the first
    ``after`` of them pass, then strikes ``times`` times. Of several faults waiting for the same request
    the first added strikes.
    """

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()

    def add(self, where: str, fault: Fault | str, *, times: int | None = None, after: int = 0) -> None:
        """Plan a fault, given as such or by name; without ``times``, as often as the table says."""
        chosen = Fault.named(fault) if isinstance(fault, str) else fault
        with self._lock:
            self._plans.append(_Plan(where, chosen, chosen.times if times is None else times, after))

    def add_text(self, text: str) -> None:
        """Plan a fault written as ``NAME[=AMOUNT][@WHERE][:TIMES[:AFTER]]``; TIMES ``*`` is for ever."""
        match = _SPEC.fullmatch(text)
        if match is None:
            message = f"{text!r} is not of the form NAME[=AMOUNT][@WHERE][:TIMES[:AFTER]]"
            raise ValueError(message)
        amount, times = match["amount"], match["times"]
        self.add(
            match["where"] or "*",
            Fault.named(match["name"], amount=float(amount) if amount else None),
            times=None if times is None else FOREVER if times == "*" else int(times),
            after=int(match["after"] or 0),
        )

    def clear(self) -> None:
        """Forget all faults that are to come."""
        with self._lock:
            self._plans.clear()

    def take(self, path: str) -> Fault | None:
        """Take the fault that strikes a request for this path, if any."""
        segment = path.rstrip("/").rpartition("/")[2]
        struck: Fault | None = None
        with self._lock:
            for plan in self._plans:
                if plan.where not in {"*", segment} or struck:
                    continue
                if plan.after > 0:
                    plan.after -= 1
                elif plan.times > 0:
                    plan.times -= 1
                    struck = plan.fault
            self._plans = [plan for plan in self._plans if plan.times > 0]
        return struck

    def waiting(self) -> list[dict[str, object]]:
        """List the faults that are to come."""
        with self._lock:
            return [
                {"fault": plan.fault.name, "where": plan.where, "times": plan.times, "after": plan.after}
                for plan in self._plans
            ]
