"""The blocks of docs/guides/zango.md that are run: each fence after a comment `<!-- run in the test: NAME -->`."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[4] / "docs/guides/zango.md"
BLOCK = re.compile(r"<!-- run in the test: (\w+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The address in the guide.
ADDRESS = "http://127.0.0.1:8080"


def blocks(address: str) -> dict[str, str]:
    """The blocks by name, with Logbook at another address."""
    return {name: text.replace(ADDRESS, address) for name, text in BLOCK.findall(GUIDE.read_text())}
