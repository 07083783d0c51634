"""scim2-tester against the served org, over a real socket."""

from __future__ import annotations

from typing import Any

import httpx
from scim2_client import BaseSyncSCIMClient
from scim2_tester import Status, check_server
from scim_org import Client, served

from rolecall.localorg.scim.handle import PREFIX
from rolecall.localorg.store import Database


class HttpxEngine(BaseSyncSCIMClient):
    """scim2-client over httpx."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self.http = http

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        return self.http.request(method, url, **kwargs)

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return str(self.http.build_request("GET", endpoint).url).startswith(str(self.http.base_url))

    def _parse_json(self, response: Any) -> Any:
        return response.json()


def test_scim2_tester_finds_nothing_wrong(scim_db: Database) -> None:
    token = Client(scim_db).token
    with served(scim_db) as url:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url + PREFIX, headers=headers, timeout=30, trust_env=False) as http:
            results = check_server(HttpxEngine(http))
    failed = [
        f"{one.title} {one.resource_type}: {one.reason} {one.data}"
        for one in results
        if one.status in (Status.ERROR, Status.CRITICAL)
    ]
    assert not failed, "\n".join(failed)
    assert sum(one.status == Status.SUCCESS for one in results) > 100
