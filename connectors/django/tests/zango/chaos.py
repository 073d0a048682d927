"""Kills Logbook and the relay, and cuts the network between them, at random and all the time."""

from __future__ import annotations

import random
import signal
import threading

from processes import Logbook, Process
from proxy import Proxy


class Chaos(threading.Thread):
    """Works until `end`, after which everything runs."""

    def __init__(self, logbook: Logbook, relay: Process, proxy: Proxy, seed: int) -> None:
        super().__init__(daemon=True)
        self.logbook, self.relay, self.proxy = logbook, relay, proxy
        self.random = random.Random(seed)
        self.done = {"cuts": 0, "kills of Logbook": 0, "kills of the relay": 0}
        self.failed: Exception | None = None
        self._ending = threading.Event()

    def run(self) -> None:
        try:
            while not self._ending.wait(self.random.uniform(0.2, 1.5)):
                what = self.random.choices(list(self.done), (6, 2, 1))[0]
                self.done[what] += 1
                if what == "cuts":
                    self.proxy.cut()
                    self._ending.wait(self.random.uniform(0.05, 1.5))
                    self.proxy.join()
                else:
                    process = self.logbook if what == "kills of Logbook" else self.relay
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
