"""The autoencoder as an estimator of scikit-learn."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from models import Problem, datasets, runs
from models.codes import to_float
from models.estimator import Autoencoder


@parametrize_with_checks([Autoencoder("single-layer", 2, epochs=1)])
def test_it_is_an_estimator(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def test_a_run_encodes_and_decodes_as_in_its_folder() -> None:
    run = runs.open_run(runs.folder_of("digits-modern-8"))
    images = datasets.arrays(run.dataset).samples[run.rows[:50]]
    made = Autoencoder.from_run("digits-modern-8")
    codes = made.transform(images.reshape(50, -1))
    np.testing.assert_allclose(codes, run.codes[:50], atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(made.inverse_transform(codes), run.coder.decode(codes).reshape(50, -1), atol=1e-4)
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_allclose(again.transform(to_float(images).reshape(50, -1)), codes, rtol=1e-4, atol=1e-5)
    assert clone(made).get_params() == made.get_params() and not hasattr(clone(made), "weights_")


def test_codes_are_features_in_a_pipeline() -> None:
    """Of two numbers, better than chance by far; the way back is nearer than the mean."""
    content = datasets.get("digits").read()
    images = content.samples.reshape(len(content.samples), -1)
    model = make_pipeline(
        Autoencoder("modern", 8, shape=(8, 8, 1), epochs=15, batch_size=32), LogisticRegression(max_iter=500)
    )
    model.fit(images[:1000], content.labels[:1000])
    assert model.score(images[1000:], content.labels[1000:]) > 0.7
    coder, truth = model[0], to_float(images[1000:])
    made = coder.inverse_transform(coder.transform(images[1000:]))
    assert np.square(made - truth).mean() < 0.5 * np.square(truth - truth.mean(0)).mean()
    assert list(coder.get_feature_names_out()) == [f"autoencoder{i}" for i in range(8)]


def test_rows_come_back_in_their_own_units() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 2)) @ random.normal(size=(2, 5)) * [1, 10, 100, 1e4, 1e-3] + [0, 5, -300, 1e5, 1]
    made = Autoencoder("single-layer", 2, epochs=60).fit(rows)
    back = made.inverse_transform(made.transform(rows))
    assert (np.square(back - rows).mean(0) < 0.1 * rows.var(0)).all()


def test_what_does_not_fit_is_said() -> None:
    rows = np.zeros((10, 12))
    with pytest.raises(Problem, match="takes image samples"):
        Autoencoder("convolutional").fit(rows)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Autoencoder(shape=(3, 4, 1)).fit(rows + 3)
    with pytest.raises(ValueError, match="12 numbers"):
        Autoencoder(shape=(4, 4, 1)).fit(rows)
