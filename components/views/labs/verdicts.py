"""Verdicts: what every lab found, in one table."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

from components import address
from components.views import Page
from models import labs
from models.engine import verdicts
from models.engine.verdicts import Verdict
from models.labs import Lab

ALL = "all labs"
COUNTED = {"network": "network", "plain": "plain method", "tie": "tie", "open": "open"}  # in this order

FIGURES = """
- **Anomalies**: *average precision* is 100 % where all that do not belong come first in the list of suspects; by chance it is
  their share of all samples.
- **Codes**: *trustworthiness* is 1 where neighbours on the map are neighbours in the data, too.
- **Compress**: bytes an image for the same *PSNR*; 10 dB more is a tenth of the squared error.
- **Denoise**: the share of cleaned samples that a classifier reads correctly, or their PSNR.
- **Features**: the share of new samples classified correctly with 10 labels of each class.
- **Generate**: the *Fréchet distance* of drawn samples from real ones, in the features of a classifier. The *floor* is that of
  real samples from other real ones: nothing honest gets far below.
- **Recommend**: *RMSE* is the error of foretold stars; *NDCG@10* is 1 where what somebody likes comes first.
- **Sequences**: the mean squared error of what comes next: of signals, where 1 is about what always saying the mean would have;
  of films, in squared shares of white.
"""


def show() -> None:
    """Draw the page."""
    st.subheader("What did all labs find?", anchor=False)
    table = [one for one in verdicts.read() if one.lab in labs.available()]
    names = list(dict.fromkeys(one.lab for one in table))
    st.markdown("\n".join(f"- {line(labs.get(name), table)}" for name in names))
    titles = {ALL: "All labs", **{name: labs.get(name).title for name in names}}
    address.seed("only", ALL, str, titles, titles.__getitem__)
    only = st.pills(
        "Lab", list(titles), format_func=titles.__getitem__, key="only", label_visibility="collapsed", required=True
    )
    some = [one for one in table if only in (ALL, one.lab)]
    st.dataframe(
        {
            "": [link(one) for one in some],
            "lab": [labs.get(one.lab).title for one in some],
            "won": [COUNTED[one.won] for one in some],
            "asked of": [one.title for one in some],
            "by how much": [one.by for one in some],
            "strongest plain method": [one.against for one in some],
            "in a sentence": [one.verdict for one in some],
            "its page": ["opens at once" if one.name in labs.get(one.lab).shipped else "computes it" for one in some],
        },
        hide_index=True,
        height="content",
        column_config={
            "": st.column_config.LinkColumn(display_text="open", width=60, help="Opens it, in a new tab"),
            "won": st.column_config.Column(
                help="A tie: the difference is not more than chance. Open: too little to say."
            ),
            "by how much": st.column_config.Column(help="The network's figure first"),
        },
    )
    st.caption(
        "Every lab and every run that ships, to the lab's usual settings; `python -m models lab --table` made the table. "
        "Each lab says how it measures, and answers for your own runs, too."
    )
    with st.expander("What the figures are"):
        st.markdown(FIGURES)
    address.publish(only=None if only == ALL else only)


def line(lab: Lab, table: Sequence[Verdict]) -> str:
    """A lab's question, and how often who wins."""
    counts = Counter(one.won for one in table if one.lab == lab.name)
    told = ", ".join(f"{words} {counts[won]}" for won, words in COUNTED.items() if counts[won])
    count = sum(counts.values())
    return f"**{lab.title}**: {lab.question} {count} answer{'s' * (count > 1)}: {told}."


def link(one: Verdict) -> str:
    """The address of an answer, relative to this page."""
    lab = labs.get(one.lab)
    return f"./{lab.title.lower()}?" + urlencode({"run" if lab.of == "run" else "data": one.name})


PAGE = Page("Verdicts", ":material/table_rows:", 0, show)
"""Where all labs are listed: the first of their section."""
