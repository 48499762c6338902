"""What the explorer is measured against: the same run with Streamlit's own widgets. Started by explorer.py.

?run=<folder> shows sliders and an image; with &plot=<points> a Plotly scattergl map of so many codes instead.
"""

import sys
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models import runs


@st.cache_resource
def opened(folder: str) -> runs.Run:
    """The run, checked once."""
    return runs.open_run(Path(folder))


st.set_page_config(layout="wide")
run = opened(st.query_params["run"])
if "plot" in st.query_params:
    import plotly.graph_objects as go

    some = run.codes[: int(st.query_params["plot"])]
    points = go.Scattergl(
        x=some[:, 0], y=some[:, 1], mode="markers", marker={"size": 3, "color": run.labels[: len(some)]}
    )
    st.plotly_chart(go.Figure(points, {"dragmode": "pan", "height": 640}))
else:
    ranges = zip(run.card.codes.low, run.card.codes.high, run.card.codes.mean, strict=True)
    code = [
        st.slider(f"z{i + 1}", low, high, min(max(mean, low), high), (high - low) / 400)
        for i, (low, high, mean) in enumerate(ranges)
    ]
    st.image(np.squeeze(run.coder.decode(np.array([code], np.float32))[0].clip(0, 1)), width=280)
