"""Who a visitor is: the signed-in user where Streamlit's login is configured, else a random number in a cookie.

The cookie is set by the app's own middleware with the first page that a browser gets, a deep link included, and no
script of the page can read it. Whoever has it sees and cancels the runs asked for with it, sees and deletes the
datasets brought with it, and nothing more.
"""

import hashlib
import re
import secrets
from http.cookies import CookieError, SimpleCookie

import streamlit as st

COOKIE = "hourglass_visitor"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_YEAR = 365 * 24 * 3600


def cookie_for(header: str, *, secure: bool, embedded: bool = False) -> str | None:
    """The Set-Cookie header for a request with this Cookie header; None when it names a visitor already.

    embedded: other sites may show the app within pages of theirs. Browsers then keep the cookie for each such site
    apart, and over HTTPS only.
    """
    try:
        known = SimpleCookie(header).get(COOKIE)
    except CookieError:
        known = None
    if known is not None and _TOKEN.fullmatch(known.value):
        return None
    value = f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/; Max-Age={_YEAR}; HttpOnly"
    if embedded:
        return f"{value}; SameSite=None; Secure; Partitioned"
    return f"{value}; SameSite=Lax; Secure" if secure else f"{value}; SameSite=Lax"


def can_send() -> bool:
    """Whether files can arrive from this browser. They are taken only with its cookie, which browsers keep back within
    a page of another site unless the app was told of that site. Where they cannot, it is said why, with a way out."""
    if not st.context.headers or COOKIE in st.context.cookies:
        return True
    st.info(
        "Files cannot be sent from here: the browser keeps no cookie of this page, as within a page of another site. "
        "Open Hourglass in a tab of its own.",
        icon=":material/open_in_new:",
    )
    if st.context.url:
        st.link_button("Open in a tab of its own", st.context.url)
    return False


def owner() -> str:
    """The name under which this visitor's runs are kept: never the cookie itself, which would let its reader in."""
    user, token = st.user, str(st.context.cookies.get(COOKIE, ""))
    known = _named(token)
    if user.get("is_logged_in"):
        account = f"user:{user.get('email') or user.get('sub')}"
        if known:
            _SIGNED_IN[known] = account
        return account
    _SIGNED_IN.pop(known, None)
    if known:
        return known
    # Cookies are refused, or there is no browser: this session is all there is.
    return _named(st.session_state.setdefault("visitor", secrets.token_urlsafe(32)))


def signed_out() -> None:
    """Nobody is signed in on this browser any more: what it asks for is no account's."""
    _SIGNED_IN.pop(_named(str(st.context.cookies.get(COOKIE, ""))), None)


def owner_of(header: str) -> str:
    """The same name, for a request outside the pages with this Cookie header; "" where it names nobody.

    Who is signed in on a browser is known from the pages it has drawn: Streamlit's own cookie is Streamlit's to read.
    """
    try:
        known = SimpleCookie(header).get(COOKIE)
    except CookieError:
        known = None
    name = _named(known.value) if known is not None else ""
    return _SIGNED_IN.get(name, name)


_SIGNED_IN: dict[str, str] = {}


def _named(token: str) -> str:
    return f"visitor:{hashlib.sha256(token.encode()).hexdigest()[:32]}" if _TOKEN.fullmatch(token) else ""
