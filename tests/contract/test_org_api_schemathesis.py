"""The running local org held to the contract: whatever a client sends, the answers are those of the OpenAPI file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import uvicorn
import yaml
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from org_client import fill
from schemathesis import Case

from rolecall.localorg.api.handle import ROUTER
from rolecall.localorg.asgi import create_app
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database
from rolecall.schema_files import schema_text

CONTRACT = yaml.safe_load(schema_text("org-api.openapi.yaml"))
contract = schemathesis.openapi.from_dict(CONTRACT)
checks = contract.config.checks
# What fits the schema may still be refused: 412 a stale ETag, 422 a team that is not there.
checks.positive_data_acceptance.expected_statuses = ["2xx", "401", "403", "404", "409", "412", "422"]
checks.negative_data_rejection.expected_statuses = [
    *("400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428"),
]
checks.missing_required_header.expected_statuses = ["404", "428"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The base URL of a running org, and an org admin's token."""
    db = open_database(tmp_path_factory.mktemp("org") / "org.db")
    fill(db)
    token = make_token(db, "admin", email="ann@acme.com").secret
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(db), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", token
    server.should_exit = True
    thread.join()
    listener.close()
    db.close()


@contract.parametrize()
@settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    deadline=None,
    database=None,
)
def test_the_org_answers_as_the_contract_says(case: Case, served: tuple[str, str]) -> None:
    url, token = served
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {token}"})


def test_the_contract_is_valid_openapi() -> None:
    validate(CONTRACT)


def test_the_contract_and_the_routes_name_the_same_addresses() -> None:
    written = {
        (method.upper(), path) for path, item in CONTRACT["paths"].items() for method in item if method != "parameters"
    }
    assert written == {(route.method, route.path) for route in ROUTER.routes}


def test_the_contract_is_found_from_a_checkout() -> None:
    assert (Path(__file__).parents[2] / "schemas/org-api.openapi.yaml").read_text() == schema_text(
        "org-api.openapi.yaml"
    )
