"""The door: an ASGI app of the pages and of a route that serves finished runs to the browser.

Start it with `streamlit run app.py`, or any ASGI server: `uvicorn app:app`.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

from components import connections, served, warming
from models import close_home

HERE = Path(__file__).resolve().parent


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Prepare what the first visitor would otherwise wait for, and keep an engine while somebody trains."""
    close_home()
    elsewhere = os.environ.get("HOURGLASS_ENGINE") == "elsewhere"
    kept = contextlib.ExitStack()
    async with connections.watched():
        warming.begin(None if elsewhere else kept)
        try:
            yield
        finally:
            warming.wait()
            kept.close()


if served.embedders():  # else Streamlit's own uploader is refused within their pages
    config.set_option("server.xsrfCookieSameSite", "none")

app = st.App(
    HERE / "components" / "main.py",
    routes=served.routes(st.get_option("server.baseUrlPath")),
    middleware=[Middleware(served.RequestGuard)],
    lifespan=lifespan,
)
