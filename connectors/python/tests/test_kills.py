"""Processes that are killed in the middle of everything. What they were told is kept arrives once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from logbook_producer import Logbook
from proxy import proxy_to
from server import Source, ids_of, wait_for

WRITER = Path(__file__).parent / "writer.py"
KILLS = int(os.environ.get("KILLS", "20"))


class Writer:
    """A process that writes; what it printed is in a file."""

    def __init__(self, source: Source, spool: Path, out: Path, durable: str = "process") -> None:
        self.out = out
        command = [sys.executable, str(WRITER), str(spool), out.name, durable]
        with out.open("wb") as stdout:
            self.process = subprocess.Popen(command, env=source.environment, stdout=stdout)

    def kill(self) -> None:
        """Kills it some time after its first event."""
        wait_for("the first event", lambda: self.out.stat().st_size or self.process.poll() is not None)
        time.sleep(random.uniform(0, 0.15))
        assert self.process.poll() is None
        self.process.kill()
        self.process.wait()

    def acknowledged(self) -> list[str]:
        # The last line may be cut off.
        return self.out.read_text().split("\n")[:-1]


def drain(source: Source, spool: Path) -> None:
    """Takes over what all others left, and sends it."""
    with Logbook(**source.address, spool=spool) as logbook:
        folder = spool / "python" / source.address["workspace"] / source.name
        wait_for("the spool to be empty", lambda: logbook.flush() and not [path for path in folder.iterdir() if path.is_dir()])


def assert_each_arrived_once(source: Source, writers: list[Writer]) -> None:
    """Compares what arrived with what was acknowledged."""
    arrived = Counter(ids_of(source.feed()))
    acknowledged = {name for writer in writers for name in writer.acknowledged()}
    assert acknowledged
    assert acknowledged - arrived.keys() == set()
    assert {name: count for name, count in arrived.items() if count > 1} == {}
    # Whoever is killed between the write and the return has one event more, in each of its two threads.
    assert len(arrived.keys() - acknowledged) <= 2 * len(writers)
    state = source.state()
    assert (state["gaps"], state["gaps_complete"], state["rejected"]) == ([], True, 0)
    print(f"{len(writers)} kills, {len(acknowledged)} acknowledged, {len(arrived)} arrived, {state['duplicates']} sent again")


def test_killed_processes_lose_and_double_nothing(source: Source, spool: Path, tmp_path: Path) -> None:
    done: list[Writer] = []
    living: list[Writer] = []
    for number in range(KILLS):
        living.append(Writer(source, spool, tmp_path / f"w{number}"))
        if len(living) == 2:
            writer = living.pop(random.randrange(2))
            writer.kill()
            done.append(writer)
    for writer in living:
        writer.kill()
        done.append(writer)
    drain(source, spool)
    assert_each_arrived_once(source, done)


def test_so_it_is_when_the_disk_is_waited_for(source: Source, spool: Path, tmp_path: Path) -> None:
    writers = [Writer(source, spool, tmp_path / f"d{number}", durable="disk") for number in range(2)]
    for writer in writers:
        writer.kill()
    drain(source, spool)
    assert_each_arrived_once(source, writers)


def test_a_batch_under_way_is_sent_again_and_stored_once(source: Source, spool: Path, tmp_path: Path) -> None:
    """Killed when Logbook has the events and the process does not know it, which kills at random may miss."""
    killed = threading.Event()
    with proxy_to(source.server.url) as proxy:
        way = Source(source.server, source.name, source.key)
        way.address["url"] = proxy.url
        writer = Writer(way, spool, tmp_path / "a")

        def kill(answer: bytes) -> None:
            if b"accepted" in answer and writer.out.stat().st_size and not killed.is_set():
                writer.process.kill()
                writer.process.wait()
                killed.set()

        proxy.answered = kill
        wait_for("the kill", killed.is_set)
    drain(source, spool)
    assert_each_arrived_once(source, [writer])
    assert source.state()["duplicates"] > 0


def test_a_killed_server_takes_nothing_along(source: Source, spool: Path, tmp_path: Path) -> None:
    writer = Writer(source, spool, tmp_path / "s")

    def more_arrive() -> None:
        before = source.state()["events"]
        wait_for("events that arrive", lambda: source.state()["events"] > before)

    def more_are_written() -> None:
        before = writer.out.stat().st_size
        wait_for("events that are written", lambda: writer.out.stat().st_size > before + 1000)

    for _ in range(3):
        more_arrive()
        source.server.kill()
        more_are_written()
        source.server.start()
    writer.kill()
    drain(source, spool)
    assert_each_arrived_once(source, [writer])
