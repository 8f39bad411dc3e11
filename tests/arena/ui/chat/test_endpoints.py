"""Gradio's own client finds two endpoints and no more, and they answer."""

from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.arena.ui.chat.conftest import SNAPSHOT


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    """The client, as a program elsewhere on this machine has it."""
    found = Client(address, verbose=False)
    yield found
    found.close()


def test_only_what_is_declared_is_listed(client: Client) -> None:
    listed = client.view_api(return_format="dict", print_info=False)
    assert set(listed["named_endpoints"]) == {"/ask", "/standings"}
    assert not listed["unnamed_endpoints"]
    assert [one["parameter_name"] for one in listed["named_endpoints"]["/ask"]["parameters"]] == ["desk", "question"]


def test_a_desk_and_the_assistant_can_be_asked(client: Client) -> None:
    assert client.predict("momentum", "How do you stand?", api_name="/ask").startswith("momentum is a rule-based")
    assert "floor's assistant" in client.predict("", "Who leads?", api_name="/ask")


@pytest.mark.parametrize(
    ("desk", "question", "why"), [("nobody", "Why?", "no desk 'nobody'"), ("momentum", " ", "empty")]
)
def test_rubbish_is_refused_with_its_reason(client: Client, desk: str, question: str, why: str) -> None:
    with pytest.raises(AppError, match=why):
        client.predict(desk, question, api_name="/ask")


def test_the_standings_are_those_of_the_floor(client: Client) -> None:
    rows = client.predict(api_name="/standings")
    assert {row["desk"]: row["equity"] for row in rows} == {desk.name: desk.equity for desk in SNAPSHOT.desks}
    assert rows[0]["rank"] <= rows[1]["rank"]
    assert all(len(row["return_ci95"]) == 2 for row in rows)
