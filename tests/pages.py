"""Pages of the app without a browser."""

from streamlit.testing.v1 import AppTest


def shown(where: str, name: str, pages: tuple[str, ...] = (), timeout: int = 120, **query: str) -> AppTest:
    """The page `name` of the package `where` with this address; pages: the titles of those that it leads to."""
    app = AppTest.from_string(
        f"from components import address\nfrom {where} import {name}\n{name}.show()\naddress.settle()\n",
        default_timeout=timeout,
    )
    for key, value in query.items():
        app.query_params[key] = value
    if pages:
        app.session_state["pages"] = dict.fromkeys(pages)
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    return app
