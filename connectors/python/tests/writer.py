"""A process that writes events until it is killed, and says which ones it was told are kept.

    writer.py SPOOL PREFIX DURABLE

Prints PREFIX-THREAD-NUMBER, alone on a line, after the call for that event has returned.
"""

import os
import random
import sys
import threading
import time
from itertools import count

from logbook_producer import Logbook, runs, sender

# Small, so that kills meet each of these often: a new segment, a batch that is sent, a run that is taken over.
runs.SEGMENT_BYTES = 20_000
runs.MAX_BATCH_EVENTS = 25  # type: ignore[attr-defined]
sender.PACE = 0.005
sender.ADOPT_EVERY = 0.05

spool, prefix, durable = sys.argv[1:]
logbook = Logbook(spool=spool, durable="disk" if durable == "disk" else "process")


def write(thread: int) -> None:
    for number in count():
        name = f"{prefix}-{thread}-{number}"
        logbook.application({"action": "create", "model": "record", "record_id": name, "metadata": {"text": "x" * random.randrange(400)}})
        os.write(1, f"{name}\n".encode())
        # Some hundred a second: a faster writer tests how fast the server is.
        time.sleep(random.choice((0, 0, 0, 0.03)))


for thread in range(2):
    threading.Thread(target=write, args=(thread,)).start()
