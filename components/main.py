"""The script behind every page: theme-independent frame and navigation. Streamlit runs it at every touch."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from components import address, views, visitor, warming

LOGO = (Path(__file__).parent / "logo.svg").read_text()

st.set_page_config(page_title="Hourglass", page_icon="⏳", layout="wide")
st.logo(LOGO, size="large")
if st.user.get("is_logged_in") is False:  # None where no login is configured
    visitor.signed_out()
    st.title("Hourglass")
    st.button("Sign in", on_click=st.login, type="primary")
    st.stop()
address.begin()
warming.wait()
from components import navigation  # noqa: E402  # it loads what pages compute with

pages: dict[str, list[StreamlitPage]] = {}
for section, (found, problems) in navigation.sections().items():
    for problem in problems:
        st.warning(str(problem))
    pages[section] = [
        st.Page(views.show_problems(page.show), title=page.title, icon=page.icon, url_path=page.path) for page in found
    ]
st.session_state["pages"] = views.Pages({page.title: page for section in pages.values() for page in section})
try:
    st.navigation(pages, position="top").run()
    address.settle()
finally:
    views.forget_the_page_before()
