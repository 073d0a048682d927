"""What Logbook has: the events of a workspace in the order in which they were stored, and what it says about a source."""

from __future__ import annotations

import json
import urllib.request
from functools import lru_cache
from typing import Any

from processes import Logbook


class Reader:
    """Reads with an admin's token."""

    def __init__(self, logbook: Logbook) -> None:
        self.logbook = logbook
        self.token = logbook.command("token", "--role", "admin")

    def get(self, path: str) -> Any:
        request = urllib.request.Request(f"{self.logbook.url}/api/v1/workspaces/{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    @lru_cache  # noqa: B019 (one reader for a run)
    def events(self, workspace: str) -> tuple[dict, ...]:
        """All events of a workspace, as they were when it was asked first."""
        return self.read(workspace)

    def read(self, workspace: str) -> tuple[dict, ...]:
        """All events of a workspace, as they are now."""
        found, after = [], 0
        while True:
            page = self.get(f"{workspace}/logs/feed?after={after}&limit=1000")
            found += page["data"]
            after = page["next_cursor"]
            if not page["has_more"]:
                return tuple(found)

    def source(self, workspace: str) -> dict:
        return self.get(f"{workspace}/sources/zango")
