"""A run explained: its network in words, as formulas and as a program; what its dimensions stand for; who reads better.

Plain values, no Streamlit: whoever draws a page keeps them.
"""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from models import export, kinds, losses, runs
from models.layers import Layer, Shape, Sum, count, with_shapes
from models.runs import networks

READS, BADLY, BETTER = 0.95, 0.9, 0.03  # shares of samples classified correctly

SHORT = {"kl": "KL", "total_correlation": "TC"}  # terms as formulas call them
LOSSES = {
    "squared-error": "(x − x̂)²",
    "calibrated": "½·(log(2π·s²) + 1)",
    "bernoulli": "(−x·log x̂ − (1 − x)·log(1 − x̂))",
}


def network(run: runs.Run) -> dict[str, Any]:
    """A run's network as JSON can keep it.

    encoder and decoder: a row for each layer, [what it is, the shape that leaves it, how many parameters it has];
    parameters: how many in all; compression: how many numbers of a sample share one of its code; formula: lines; pytorch:
    a program that makes this very model. Of a run whose architecture is not here, or is not what it was when the run was
    trained, the rows and the program are empty.
    """
    blueprint = networks.blueprint(run)
    encoder, decoder, text = [], [], ""
    if blueprint is not None:
        encoder = _rows(blueprint.encoder, blueprint.shape)
        decoder = _rows(blueprint.decoder, (run.code_size,))
        if run.variational:
            many = f"{run.code_size} means and {run.code_size} log-variances"
            encoder[-1][0] += f": {many if run.code_size > 1 else 'a mean and a log-variance'}"
        text = blueprint.pytorch(export.file_name(run, "weights"))
    return {
        "encoder": encoder,
        "decoder": decoder,
        "parameters": run.card.architecture.parameters,
        "compression": prod(run.shape) / run.code_size,
        "formula": [*formula(run), *symbols(run)],
        "pytorch": text,
    }


def _rows(layers: Iterable[Layer], shape: Shape, branch: str = "") -> list[list[Any]]:
    """A row for each of the layers and, of a sum, for those of its branches."""
    out = []
    for layer, at in with_shapes(tuple(layers), shape):
        parameters = count(layer.weights(at))
        if isinstance(layer, Sum):
            for i, inner in enumerate(layer.branches):
                out += _rows(inner, at, f"{branch}Branch {i + 1}: ")
            parameters = 0  # its branches have them
        out.append([branch + layer.words(at), " × ".join(f"{n:,}" for n in layer.output(at)), parameters])
    return out


def formula(run: runs.Run) -> list[str]:
    """What a run computes, and the loss that its training lowered, as lines of text.

    x is a sample, z its code, x̂ the reconstruction, f the encoder and g the decoder; means and sums go over the values
    of a sample. Kingma and Welling 2013 for variational ones.
    """
    chosen = run.configuration
    given = "x" if chosen.noise == "none" else "x̃"
    lines = [*_augmented(chosen, kinds.get(run.kind).one), *([f"x̃ = {_noise(run)}"] if given == "x̃" else [])]
    if run.variational:
        lines += [f"μ, log σ² = f({given})", "z = μ + σ·ε, with ε drawn from N(0, 1)"]
    else:
        lines += [f"z = f({given})"]
    total, notes = [f"{'sum' if run.variational else 'mean'} of {LOSSES.get(chosen.loss, chosen.loss)}"], []
    if chosen.loss == "calibrated":
        notes.append("s² = mean of (x − x̂)² over all values of the batch")
    weights, rising = chosen.weights(), list[str]()
    for term in losses.used(chosen, run.kind, run.variational):
        if weights[term.name]:
            words, more = _term(run, term, given)
            total.append(words)
            notes += more
            rising += [SHORT.get(term.name, term.weight.title)] if term.annealed and chosen.annealing else []
    if rising:
        are = f"{' and '.join(rising)} count{'s' if len(rising) == 1 else ''}"
        notes.append(f"{are} more and more over the first {chosen.annealing:.0%} of the training, from 0")
    return [*lines, "x̂ = g(z)", f"loss = {' + '.join(total)}", *notes]


def symbols(run: runs.Run) -> list[str]:
    """What the signs in `formula` stand for, in plain words."""
    lines = ["f is the encoder, g the decoder, x̂ what becomes of a sample x, z its code"]
    if run.variational:
        lines += [
            "μ and σ: the middle and the width of a small cloud; a code is drawn in it at random, so that close codes decode alike",
            "N(0, 1): numbers spread like a bell curve around 0, two thirds of them between −1 and 1",
        ]
        if run.configuration.weights().get("kl"):
            lines += ["KL: how far such a cloud is from the one that says nothing of the sample"]
    return lines


def counts(run: runs.Run, name: str) -> bool:
    """Whether a run's training computed the term of this name."""
    return name in (term.name for term in losses.used(run.configuration, run.kind, run.variational))


def _term(run: runs.Run, term: losses.LossTerm, given: str) -> tuple[str, list[str]]:
    """A term as it stands in the sum, and the lines that say what it is."""
    chosen, z = run.configuration, "μ" if run.variational else "z"
    weight = f"{chosen.weights()[term.name]:g}"
    times = "" if weight == "1" else f"{weight}·"
    if term.name == "kl":
        each = "½·(μ² + σ² − 1 − log σ²)"
        if chosen.free_bits:
            each = f"max({chosen.free_bits:g}, {each})"
        return "β·KL", [f"β = {weight}", f"KL = sum of {each} over the {run.code_size} dimensions of the code"]
    if term.name == "sparsity":
        return f"{times}mean of |{z}|", []
    if term.name == "contraction":
        return f"{times}‖∂{z}/∂{given}‖²", []
    if term.name == "total_correlation":
        return f"{times}TC", ["TC = KL(q(z) ‖ q(z1)·q(z2)·…), what the dimensions know of each other"]
    if term.name == "rate":
        return f"{times}R", [
            "R = ½·log₂ det(I + 12·C) for each value of x, where C is the covariance of the codes: their bits once they are rounded",
            "while training, g gets z + u, with u drawn between −½ and ½: what rounding does",
        ]
    name = term.weight.title  # a term that somebody added says itself what it is
    return f"{times}{name}", [f"{name}: {term.weight.about}"]


def _noise(run: runs.Run) -> str:
    """A sample as the training corrupted it."""
    chosen, pixels = run.configuration, kinds.get(run.kind).pixels
    level, share, values = f"{chosen.noise_level:g}", f"{chosen.noise_level:.0%}", "pixels" if pixels else "values"
    return {
        "gaussian": f"x + {level}·n, with n drawn from N(0, 1)" + (", held between 0 and 1" if pixels else ""),
        "masking": f"x with {share} of its {values} set to 0",
        "salt-and-pepper": f"x with {share} of its {values} set to the "
        + ("darkest or the brightest" if pixels else "smallest or the largest"),
        "watermark": f"x + {level}·w·(1 − x), where w is the word COPY",
    }.get(chosen.noise, f"x with {chosen.noise} noise")


def _augmented(chosen: runs.Configuration, one: str) -> list[str]:
    """What was done to samples before each step. one: what such a sample is called."""
    did = [f"moved by up to {chosen.shift} pixel{'' if chosen.shift == 1 else 's'}"] if chosen.shift else []
    did += ["turned and stretched a little"] if chosen.distortion else []
    did += [f"mixed with up to {chosen.mixing:.0%} of another"] if chosen.mixing else []
    a = "an" if one == "image" else "a"
    return [f"x is {a} {one}, {' and '.join(did)} at random while training"] if did else []


def reader(run: runs.Run, ready: Sequence[runs.Run]) -> tuple[str, str] | None:
    """The id and title of the run among `ready` that tells the classes of the same dataset apart best, where this one's
    encoder does so badly and that one's well; None where there is no need, or no such run.

    By the 5-nearest-neighbour accuracy of their test codes: this one's below `BADLY` or not measured, that one's `READS`
    at least and `BETTER` more than this one's.
    """
    own = run.metric("knn_accuracy")
    if own is not None and own >= BADLY:
        return None
    least = max(READS, (own or 0.0) + BETTER)
    facts = run.card.dataset
    others = [
        (one.metric("knn_accuracy") or 0.0, -one.code_size, one)
        for one in ready
        if one.id != run.id and (one.card.dataset.name, one.shape) == (facts.name, run.shape)
    ]
    best = max((one for one in others if one[0] >= least), key=lambda one: one[:2], default=None)
    return None if best is None else (best[2].id, best[2].title)
