"""What an answer may do in a browser."""

import base64
import hashlib

import pytest

from arena.api.policy import page_policy
from tests.arena.api.access.conftest import Exposed


def scripts(policy: str) -> set[str]:
    return set(policy.partition("script-src ")[2].partition(";")[0].split())


def test_scripts_in_the_text_of_a_page_are_named_by_hash_and_no_others():
    page = (
        b"<script>one()</script><script src='/a.js'>two()</script><SCRIPT type=x>\r\nthree()</SCRIPT><script></script>"
    )
    wanted = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in (b"one()", b"\nthree()")
    }
    assert scripts(page_policy(page)) == {"'self'", "'unsafe-eval'"} | wanted


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/risk", "/forecasts"])
def test_pages_run_no_inline_script_that_is_not_named(exposed: Exposed, path: str):
    policy = exposed.client("vera").get(path).headers["content-security-policy"]
    assert "'unsafe-inline'" not in scripts(policy)
    assert sum(each.startswith("'sha256-") for each in scripts(policy)) >= 4
    for part in ("default-src 'none'", "script-src-attr 'none'", "connect-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/api/v1/me", "/healthz", "/metrics", "/live/", "/api/v1/nothing", "/config"])
def test_what_is_no_page_may_do_nothing(exposed: Exposed, path: str):
    policy = exposed.client("vera").get(path).headers["content-security-policy"]
    assert policy == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def test_our_scripts_are_files_of_ours(exposed: Exposed):
    from arena.ui.theme import script, script_url

    client = exposed.client("vera")
    assert script_url() in client.get("/").text
    answer = client.get(script_url())
    assert answer.text == script()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
