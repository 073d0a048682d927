"""Browsers: of an admin in the App Panel, and of somebody in an app."""

from __future__ import annotations

import re
from typing import Any

import requests

PASSWORD = "Str0ng@Pass1"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"


class Browser:
    """Keeps its cookies itself: the host in the requests is a name, the address is 127.0.0.1."""

    def __init__(self, port: int, host: str) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.headers = {"Host": host, "User-Agent": AGENT, "Referer": f"http://{host}/"}
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        answer = requests.request(method, self.base + path, headers=headers, allow_redirects=False, timeout=300, **more)
        self.cookies.update({cookie.name: cookie.value for cookie in answer.cookies})
        return answer

    def get(self, path: str, params: dict | None = None, **more: Any) -> requests.Response:
        return self.request("GET", path, params=params, **more)

    def post(self, path: str, data: dict | None = None, **more: Any) -> requests.Response:
        return self.request("POST", path, data=data, **more)

    def put(self, path: str, data: dict | None = None) -> requests.Response:
        return self.request("PUT", path, data=data)


class Panel(Browser):
    """The App Panel."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "localhost")
        self.token = ""

    def sign_in(self, username: str, password: str) -> bool:
        """Whether it worked. The page is asked for only once: while an address is locked there is none."""
        if not self.token:
            self.token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', self.get("/auth/login/").text).group(1)
        data = {"csrfmiddlewaretoken": self.token, "username": username, "password": password}
        return self.post("/auth/login/", data).status_code == 302

    def sign_out(self) -> None:
        self.get("/auth/logout/")


class App(Browser):
    """An app, by its name."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(port, f"{name}.localhost")
        self.get("/api/v1/appauth/config/")

    def sign_in(self, email: str, password: str) -> requests.Response:
        return self.request("POST", "/api/v1/appauth/login/", json={"email": email, "password": password})

    def choose(self, role: int) -> requests.Response:
        return self.post(f"/api/v1/appauth/role/set/?role={role}")

    def set_password(self, password: str) -> requests.Response:
        names = ("new_password", "password", "confirm_password", "password1", "password2")
        return self.request("POST", "/api/v1/appauth/password/set/", json=dict.fromkeys(names, password))

    def switch(self, role: int) -> requests.Response:
        return self.post(f"/api/v1/appauth/role/switch/?role={role}")

    def sign_out(self) -> requests.Response:
        return self.request("DELETE", "/api/v1/appauth/logout/")

    def do(self, what: str, correlation_id: str | None = None, **more: Any) -> requests.Response:
        """Calls the app's own view."""
        headers = {"X-Correlation-ID": correlation_id} if correlation_id else {}
        return self.get("/clinic/do/", {"what": what, **more}, headers=headers)
