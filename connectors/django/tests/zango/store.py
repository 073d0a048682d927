"""A stand-in for the bucket from which Zango fetches packages. boto3 looks for it where AWS_ENDPOINT_URL_S3 says."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

from processes import Process, free_port, wait_for

BUCKET = "zelthy3-packages"
PACKAGES = Path(__file__).parent / "package"


class Store(Process):
    """Has each package of the folder `package`, as a zip file beside its manifest."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        files = folder / "packages"
        for package in PACKAGES.iterdir():
            place = files / BUCKET / "packages" / package.name / "1.0.0"
            place.mkdir(parents=True)
            shutil.copy(package / "manifest.json", place)
            shutil.make_archive(str(place / package.name), "zip", PACKAGES, package.name)
        server = [sys.executable, "-m", "http.server", self.port, "--bind", "127.0.0.1", "--directory", files]
        super().__init__("packages", server, folder)
        self.start()
        wait_for("the packages", lambda: socket.create_connection(("127.0.0.1", self.port), 1))

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}"}
