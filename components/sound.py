"""A sound on the page of the lab Denoise: heard with noise, through a spectral gate and through a run."""

import numpy as np
import streamlit as st

from components import cached, choosing, pictures, visitor
from models import Problem, runs
from models.labs import _sound as sounds
from models.labs._sound import Floats, Version

MELODY, OWN = "Our melody", "A sound of your own (WAV)"


def show(run: runs.Run) -> None:
    """Draw the part: a sound and its noise, four players, the verdict and its numbers. Says why where the run cannot clean a
    sound."""
    if why := sounds.fits(run):
        st.info(f"This run cannot clean a sound: {why}.")
        return
    chosen = _chosen()
    if chosen is None:
        return
    sound, own = chosen
    kind, level = _noise(own)
    found = _cleaned(run, sound.tobytes(), kind, level)
    for names in (("noisy", "run"), ("gate", "clean")):
        for column, name in zip(st.columns(2), names, strict=True):
            if name in found:
                with column:
                    _player(found[name])
    if level:
        st.markdown(f"**{sounds.verdict(found)}**")
    else:
        st.caption("What is noise in a sound that came so is not known: listen. Add noise above to measure.")
    name = f"cleaned-{run.folder.name}.wav"
    st.download_button(
        "The cleaned sound (WAV)",
        sounds.wav(found["run"].sound),
        name,
        "audio/wav",
        on_click="ignore",
        icon=":material/download:",
    )
    with st.expander("How this is measured"):
        st.markdown(HOW)
        st.dataframe(
            [
                {"sound": one.title, "SNR": one.snr and f"{one.snr:.1f} dB", "setting": one.setting}
                for one in found.values()
            ],
            hide_index=True,
        )


HOW = """
A sound is read at 8,000 steps a second and cut into windows, one every quarter of their length; each goes through the code and back, and they are joined by a Hann window, which leaves no seam. \
The signal-to-noise ratio (SNR) is the energy of the clean sound over that of what differs from it, in dB: 10 dB more is a tenth of the noise.

The spectral gate is the strongest plain way. Both hear half a second of the noise alone: the run's input is made as loud as gives the noise the strength \
that it learnt with; the gate compares the Fourier transform of short frames with it, and turns down \
what does not rise above. How long its frames are and how far something has to rise is chosen by the squared error on another melody with the same noise.

In the pictures time runs to the right and frequency up, to 4,000 Hz; bright is loud.
"""


def _chosen() -> tuple[Floats, bool] | None:
    """The sound (T,) that is cleaned, and whether it is the visitor's own; None where a file is waited for, or cannot be read."""
    seed = st.session_state.setdefault("melody seed", 1)
    left, right = st.columns([3, 1.3], vertical_alignment="bottom")
    ways = [MELODY, *([OWN] if visitor.can_send() else [])]
    way = left.segmented_control("Sound", ways, default=MELODY, required=True, key="sound from")
    if way != OWN:
        if right.button("Another melody", icon=":material/refresh:", width="stretch"):
            seed = st.session_state["melody seed"] = seed % 10_000 + 1
        return sounds.melody(seed), False
    given = st.file_uploader("A WAV file, of which the first minute is taken", type="wav", key="own sound")
    if given is None:
        return None
    try:
        return sounds.read(given.getvalue()), True
    except Problem as problem:
        st.error(choosing.escaped(str(problem)))
        return None


def _noise(own: bool) -> tuple[str, float]:
    """The kind and the level of the noise that is added; of a sound of one's own there may be none."""
    left, right = st.columns(2)
    level = right.slider(
        "Its strength",
        0.0 if own else 0.01,
        0.2,
        0.0 if own else 0.1,
        0.01,
        key=f"sound level {own}",
        help="The standard deviation of the noise; 1 is the loudest that a file holds. "
        + ("At 0 the sound is cleaned as it came." if own else ""),
    )
    kind = left.selectbox(
        "Noise", list(sounds.NOISES), format_func=sounds.NOISES.__getitem__, key="sound noise", disabled=not level
    )
    return kind, level


@cached.per_run(16, "Cleaning the sound…")
def _cleaned(run: runs.Run, sound: bytes, kind: str, level: float) -> dict[str, Version]:
    return sounds.cleaned(run, np.frombuffer(sound, np.float32), kind, level, seed=1)


def _player(version: Version) -> None:
    """A sound to be heard, with its spectrogram."""
    ratio = "" if version.snr is None else f" · {version.snr:.1f} dB"
    st.markdown(f"**{version.title}**{ratio}")
    st.audio(sounds.wav(version.sound), "audio/wav")
    drawn = pictures.heat(np.square(sounds.picture(version.sound))[None, ..., None], 1.0)[0]
    st.image(drawn, width="stretch", output_format="PNG")
