"""Signals and tables on their way through everything that was first made for images."""

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor

import kinds
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from components import served
from models import datasets, runs, thumbnails
from models.columns import unscaled

# What is served to the explorer


def asked(run: runs.Run, name: str) -> Response:
    """The answer to a request for a file of a run."""
    scope = {"type": "http", "method": "GET", "headers": [], "path": "", "query_string": b""}
    scope["path_params"] = {"id": run.id, "digest": run.digest, "name": name}
    with ThreadPoolExecutor(1) as thread:  # a loop of its own: where a browser test ran before, one still runs here
        return thread.submit(asyncio.run, served.run_file(Request(scope))).result()


def block(content: bytes, run: runs.Run) -> NDArray[np.float32]:
    return np.frombuffer(gzip.decompress(content), "<f4").reshape(-1, *run.shape)


@pytest.mark.parametrize("name", ["wave_run", "fruit_run"])
def test_the_originals_of_the_codes_are_served_as_numbers(name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    answer = asked(run, "samples.f32.gz")
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    came = block(bytes(answer.body), run)
    dataset = datasets.get(run.configuration.dataset)
    np.testing.assert_array_equal(came, datasets.arrays(dataset).samples[run.rows])
    mine = np.abs(run.coder.encode(came) - run.codes).max()
    assert mine < 1e-4, "sample m belongs to code m"
    real = unscaled(run.columns, came)
    assert real[..., 0].min() > 5 and real[..., 0].max() < 300, "metres per second, grams"


def test_no_more_is_served_than_fits(wave_run: runs.Run) -> None:
    each = 4 * kinds.STEPS * 2
    some = block(thumbnails.values(wave_run, 10 * each + 7), wave_run)
    assert len(some) == 10
    np.testing.assert_array_equal(some, block(thumbnails.values(wave_run), wave_run)[:10])
    with pytest.raises(LookupError):
        thumbnails.values(wave_run, each - 1)


def test_numbers_are_not_served_where_there_are_none(wave_run: runs.Run, digits_run: runs.Run) -> None:
    assert asked(digits_run, "samples.f32.gz").status_code == 404, "images have thumbnails"
    assert asked(wave_run, "thumbnails.u8.gz").status_code == 404
    known = datasets.found()
    held = known.pop("waves")
    try:
        gone = asked(wave_run, "samples.f32.gz")
    finally:
        known["waves"] = held
    assert gone.status_code == 404 and gone.headers["cache-control"] == "no-store", "asked for again when it is back"
