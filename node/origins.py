"""Whose pages may speak to an endpoint from within a browser.

A program outside of a browser sends no Origin. A wallet's extension is something that its
user installed, and it is let in; the page of a site is not, unless it was named: otherwise
any page that is open could steer what listens on this machine.
"""

from collections.abc import Mapping, Sequence

ANY = "*"
EXTENSIONS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")
PREFLIGHT_SECONDS = 600


def is_welcome(origin: str | None, allowed: Sequence[str]) -> bool:
    """Whether a request with this Origin header, None without one, is to be answered."""
    if origin is None or ANY in allowed:
        return True
    return origin in allowed or origin.startswith(EXTENSIONS)


def headers_for(origin: str | None, requested: Mapping[str, str]) -> dict[str, str]:
    """What a browser must read to hand an answer on to a welcome origin."""
    if origin is None:
        return {}
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Vary": "Origin",
    }
    if requested.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return headers
