"""Who a visitor is: the signed-in user where Streamlit's login is configured, else a random number in a cookie.

The cookie is set by the app's own middleware with the first page that a browser gets, a deep link included, and no
script of the page can read it. Whoever has it sees and cancels the runs asked for with it, and nothing more.
"""

import hashlib
import re
import secrets
from http.cookies import CookieError, SimpleCookie

import streamlit as st

COOKIE = "hourglass_visitor"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_YEAR = 365 * 24 * 3600


def cookie_for(header: str, *, secure: bool) -> str | None:
    """The Set-Cookie header for a request with this Cookie header; None when it names a visitor already."""
    try:
        known = SimpleCookie(header).get(COOKIE)
    except CookieError:
        known = None
    if known is not None and _TOKEN.fullmatch(known.value):
        return None
    value = f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/; Max-Age={_YEAR}; HttpOnly; SameSite=Lax"
    return f"{value}; Secure" if secure else value


def owner() -> str:
    """The name under which this visitor's runs are kept: never the cookie itself, which would let its reader in."""
    user = st.user
    if user.get("is_logged_in"):
        return f"user:{user.get('email') or user.get('sub')}"
    token = str(st.context.cookies.get(COOKIE, ""))
    if not _TOKEN.fullmatch(token):  # cookies are refused, or there is no browser: this session is all there is
        token = st.session_state.setdefault("visitor", secrets.token_urlsafe(32))
    return f"visitor:{hashlib.sha256(token.encode()).hexdigest()[:32]}"
