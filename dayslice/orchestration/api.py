"""A client of one Airflow's REST API (version 2), logged in with a user and password of its simple auth manager."""

from collections.abc import Mapping
from typing import Any

import requests

from dayslice.errors import DaysliceError, Transient

TIMEOUT_SECONDS = 30


class AirflowApi:
    """`url` is where the API server answers, without a path. The token is asked for at the first call."""

    def __init__(self, url: str, user: str, password: str):
        self.url, self.user, self.password = url, user, password
        self.session = requests.Session()
        # A proxy of the machine's is not for loopback.
        self.session.trust_env = False

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer of `/api/v2/<path>`."""
        return self.call("GET", path, params=query)

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send a JSON document; the JSON answer."""
        return self.call("POST", path, json=content)

    def patch(self, path: str, content: Mapping[str, Any], **query: Any) -> Any:
        """Change what the document names; the JSON answer."""
        return self.call("PATCH", path, json=content, params=query)

    def call(self, method: str, path: str, **more: Any) -> Any:
        """One request. Raises Transient where nobody answers, DaysliceError with Airflow's words for a refusal."""
        if "Authorization" not in self.session.headers:
            self.session.headers["Authorization"] = f"Bearer {self._token()}"
        return self._send(method, f"/api/v2/{path}", **more)

    def _token(self) -> str:
        answer = self._send("POST", "/auth/token", json={"username": self.user, "password": self.password})
        return str(answer["access_token"])

    def _send(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self.session.request(method, f"{self.url}{path}", timeout=TIMEOUT_SECONDS, **more)
        except requests.RequestException as error:
            raise Transient(f"Airflow at {self.url} does not answer: {error}") from None
        if not answer.ok:
            raise DaysliceError(f"Airflow refused {method} {path} with {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None


def health_of(url: str, timeout: float = 5) -> dict[str, Any] | None:
    """What the API server says of the scheduler, the triggerer, the dag-processor and the database; None if nothing."""
    try:
        answer = requests.get(f"{url}/api/v2/monitor/health", timeout=timeout, proxies={"http": "", "https": ""})
        found: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError):
        return None
    return found if "metadatabase" in found else None
