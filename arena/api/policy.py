"""The headers that tell a browser what an answer may do. What a page may run is named by hash, page by page.

Gradio's own page starts with scripts in its text. They are known when the page is sent: their hashes go into its
policy, and whatever else turns up in the page later, such as a handler in markup of somebody else's making, does not
run. ``'unsafe-eval'`` stays: Gradio makes functions of the scripts of ``gr.HTML`` components (``js_on_load``). Styles
stay open, as Svelte and Plotly write them into elements.
"""

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'{hashes}; script-src-attr 'none'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self' blob:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
PLAIN_PAGE = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""For a page that runs no script."""

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HTTPS_ONLY = ("strict-transport-security", "max-age=31536000")

_POLICY = "content-security-policy"
_SCRIPT = re.compile(rb"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)


class Headed:
    """Sends one answer on, with its headers. A page of Gradio's is held back until the hash of its scripts is known."""

    def __init__(self, send: Send, *, request_id: str, is_private: bool, is_https: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._is_private = is_private
        self._is_https = is_https
        self.has_begun = False
        self._held: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Takes a message of the application's."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(ALWAYS)
            headers["x-request-id"] = self._request_id
            if self._is_https:
                headers[HTTPS_ONLY[0]] = HTTPS_ONLY[1]
            is_page = headers.get("content-type", "").startswith("text/html")
            if self._is_private and (is_page or "json" in headers.get("content-type", "")):
                headers.setdefault("cache-control", "no-store")
            self._held, self._body = None, b""
            if is_page and _POLICY not in headers:
                self._held = message
                return
            headers.setdefault(_POLICY, _NOTHING)
        elif self._held is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            MutableHeaders(scope=self._held)[_POLICY] = page_policy(self._body)
            self.has_begun = True
            await self._send(self._held)
            self._held, message = None, {"type": "http.response.body", "body": self._body}
        self.has_begun = True
        await self._send(message)


def page_policy(page: bytes) -> str:
    """The policy of a page that may run the scripts in its text, files of ours, and nothing else."""
    inline = [text for attributes, text in _SCRIPT.findall(page) if b"src=" not in attributes and text]
    # A browser reads carriage returns as line feeds before it hashes.
    texts = dict.fromkeys(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for text in inline)
    digests = (base64.b64encode(hashlib.sha256(text).digest()).decode() for text in texts)
    return _PAGE.format(hashes="".join(f" 'sha256-{digest}'" for digest in digests))
