"""Kills Logbook, the relay and the follower, and cuts the network, at random and all the time. What it kills is started again."""

from __future__ import annotations

import random
import signal
import threading

from processes import Process
from proxy import Proxy


class Chaos(threading.Thread):
    """Works until `end`, after which everything runs."""

    def __init__(self, logbook: Process, relay: Process, follower: Process, proxy: Proxy, seed: int) -> None:
        super().__init__(daemon=True)
        self.victims = {"kills of Logbook": logbook, "kills of the relay": relay, "kills of the follower": follower}
        self.proxy = proxy
        self.random = random.Random(seed)
        self.done = dict.fromkeys(("cuts", *self.victims), 0)
        self.failed: Exception | None = None
        self._ending = threading.Event()

    def run(self) -> None:
        try:
            # Each once, in any order, and then more often what hurts less.
            first = self.random.sample(list(self.done), len(self.done))
            while not self._ending.wait(self.random.uniform(0.2, 1.5)):
                what = first.pop() if first else self.random.choices(list(self.done), (6, 2, 1, 1))[0]
                self.done[what] += 1
                if what == "cuts":
                    self.proxy.cut()
                    self._ending.wait(self.random.uniform(0.05, 1.5))
                    self.proxy.join()
                else:
                    process = self.victims[what]
                    assert process.is_running(), f"{process.name} has ended by itself"
                    process.stop(signal.SIGKILL)
                    self._ending.wait(self.random.uniform(0.0, 1.0))
                    process.start()
        except Exception as error:
            self.failed = error

    def end(self) -> str:
        """Stops, once or again, and says what was done."""
        self._ending.set()
        self.join()
        if self.failed is not None:
            raise self.failed
        return ", ".join(f"{count} {what}" for what, count in self.done.items())
