"""The explorer as a widget: what it shows is in step with `code` and `selection`."""

from __future__ import annotations

import os
import traceback
import uuid
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from hourglass import page, repository
from hourglass.own import Decoder, Own, to_array
from hourglass.runs import Run, open

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_BYTES = 4_000_000  # of a page that goes with a saved notebook, at most
SHOWN_SECONDS = 1.0  # in which a decoder draws ahead for it: a cell shall not wait


class Numbers(traitlets.List):  # type: ignore[type-arg]
    """A list of numbers, given as a list, an array, a tensor or a range; of a mask the places where it is true."""

    def validate(self, obj: Any, value: Any) -> Any:
        given = to_array(value if hasattr(value, "__array__") or hasattr(value, "detach") else list(value))
        plain = np.flatnonzero(given) if given.dtype == bool else given.ravel()
        if plain.size and not (np.issubdtype(plain.dtype, np.number) and np.isfinite(plain).all()):
            raise traitlets.TraitError(f"{self.name} takes finite numbers; {value!r} was given")
        return super().validate(obj, plain.tolist())


class Explorer(anywidget.AnyWidget):
    """A map of codes, the sample that is decoded under the pointer, and sliders. `explore` makes one.

    code : list of D floats
        What is shown. Setting it moves the marker.
    selection : list of int
        Rows inside the lasso, counted from 0: of the dataset of a run, of the codes that were given. Setting it lights them up.
    """

    _esm = repository.part("notebook.js")

    # Not echoed: while the pointer moves the kernel has samples to answer with.
    code: Any = Numbers().tag(sync=True, echo_update=False)
    selection: Any = Numbers().tag(sync=True, echo_update=False)
    _decodes = traitlets.Unicode("here").tag(sync=True)
    _view = traitlets.Dict().tag(sync=True, echo_update=False)
    _group = traitlets.Unicode("").tag(sync=True)
    _height = traitlets.Int(560).tag(sync=True)

    def __init__(self, shown: Run | Own, *, height: int = 560) -> None:
        self._shown = shown
        decodes = shown.decodes if isinstance(shown, Own) else "here"
        super().__init__(_height=height, _decodes=decodes, code=_middle(shown))
        self.on_msg(self._answer)

    @property
    def image(self) -> NDArray[np.float32]:
        """The decoded sample of `code` as it is shown: (H, W, C) from 0 (black) to 1 of an image, else as the networks see it."""
        return np.asarray(self._decode([self.code])[0])

    def _decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        return self._shown.decode(codes) if isinstance(self._shown, Own) else self._shown.drawn(codes)

    @traitlets.validate("code")
    def _fits(self, proposal: Any) -> list[float]:
        size = self._shown.card["codes"]["size"]
        if len(proposal["value"]) != size:
            raise traitlets.TraitError(f"a code here has {size} numbers; {len(proposal['value'])} were given")
        return [float(one) for one in proposal["value"]]

    @traitlets.validate("selection")
    def _there(self, proposal: Any) -> list[int]:
        count = self._shown.card["dataset"]["count"]
        rows = proposal["value"]
        if any(row != int(row) or not 0 <= row < count for row in rows):
            raise traitlets.TraitError(f"rows are whole numbers from 0 to {count - 1:,}")
        return [int(row) for row in rows]

    def close(self) -> None:
        """Ends it here and in the notebook."""
        self.on_msg(self._answer, remove=True)
        super().close()

    def _answer(self, _: Any, asked: dict[str, Any], __: Any) -> None:
        """What the browser asks for: a file, or samples of codes."""
        told: dict[str, Any] = {"id": asked.get("id")}
        if asked.get("type") == "waiting":  # a word that the socket waits for: see hosts/anywidget.ts
            return
        try:
            if asked.get("type") == "bytes":
                content = self._shown.read(str(asked["name"]))
            else:
                codes = np.array(asked["codes"], np.float32).reshape(int(asked["count"]), -1)
                content = np.ascontiguousarray(self._decode(codes), "<f4").tobytes()
        except KeyError as error:
            self.send(told | {"failed": f"there is no file {error} here", "missing": True})
        except Exception as error:  # the code of somebody else: whatever it raises is told where it is seen
            traceback.print_exc()  # where the notebook keeps what its kernel says
            self.send(told | {"failed": f"the decoder failed: {type(error).__name__}: {error}"})
        else:
            self.send(told, [content])

    def save(self, path: str | os.PathLike[str] = "page.html") -> Path:
        """Writes what is shown as one page that opens from a disk, alive and without a network. Returns its path.

        A decoder that only this kernel can call does not travel: the page holds pictures that it drew ahead, and blends
        them.
        """
        to = Path(path)
        to.write_bytes(self._page())
        return to

    def _page(self, most: int | None = None, seconds: float = page.PATIENCE) -> bytes:
        view = {name: value for name, value in self._view.items() if isinstance(value, str) and value and name != "run"}
        return page.html(self._shown, view, self.code, most, seconds)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """With the page for where no widget can be: in what nbconvert makes, on GitHub's viewer, in a mail."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, rest = bundle if isinstance(bundle, tuple) else (bundle, {})
        if not data:
            return bundle
        html = escape(self._page(SHOWN_BYTES, SHOWN_SECONDS).decode())
        frame = (
            f'<iframe srcdoc="{html}" sandbox="allow-scripts allow-downloads" title="Hourglass" '
            f'style="width: 100%; height: {self._height + 160}px; border: 0"></iframe>'
        )
        return {**data, "text/html": frame}, rest


def _middle(shown: Run | Own) -> list[float]:
    """The code nearest to the mean of all."""
    codes = np.frombuffer(shown.read("codes.f32"), "<f4").reshape(-1, shown.card["codes"]["size"])
    nearest = np.square(codes - np.array(shown.card["codes"]["mean"])).sum(1)
    return [float(one) for one in codes[np.nanargmin(nearest)]]


def explore(
    shown: str | os.PathLike[str] | Run | ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    decoder: Decoder | None = None,
    images: ArrayLike | None = None,
    shape: tuple[int, ...] | None = None,
    title: str = "",
    height: int = 560,
) -> Explorer:
    """The explorer of a run (its folder, its zip, its name, or what `open` gave), or of codes and a decoder of your own.

    shown: a run, or codes (N, D). The others go with codes alone; see `Own`: labels: N names of classes. decoder: from codes
    (B, D) to images, asked while the pointer moves. images: the N originals. shape: (H, W) or (H, W, C), where the decoder
    gives flat images. title: above the page that `save` writes. height: of the explorer, in pixels.
    """
    if isinstance(shown, str | os.PathLike | Run):
        if any(one is not None for one in (labels, decoder, images, shape)):
            raise TypeError("labels=, decoder=, images= and shape= go with codes of your own; a run has its own")
        return Explorer(open(shown), height=height)
    if decoder is None:
        raise TypeError("explore(codes) needs decoder=, a function from codes (B, D) to images")
    return Explorer(Own(shown, labels, decoder, images, shape, title), height=height)


def link(*explorers: Explorer) -> None:
    """Joins explorers of the same samples: marker, selection and hidden classes of one are seen in all.

    Rows are what joins them: of the dataset of runs, of the codes that were given. ValueError where these cannot be the same.
    """
    if not all(isinstance(one, Explorer) for one in explorers):
        raise TypeError("link(a, b) takes explorers, one after the other")
    if len(set(explorers)) < 2:
        raise ValueError("link(a, b) needs two explorers or more")
    runs = [one._shown for one in explorers if isinstance(one._shown, Run)]
    if len({run.card["dataset"]["fingerprint"] for run in runs}) > 1:
        raise ValueError("these runs are not of the same dataset")
    if len({len(one._shown.codes) for one in explorers if isinstance(one._shown, Own)}) > 1:
        raise ValueError("linked codes have as many rows each: row i stands for the same sample everywhere")
    name = uuid.uuid4().hex
    for one in explorers:
        one._group = name
