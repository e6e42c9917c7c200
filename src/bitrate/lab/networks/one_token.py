"""A small transformer: one prompt token in, a softmax over one answer token out, and its real policy gradients.

PyTorch is imported inside the functions: it comes with the extra ``bitrate[train]``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitrate.errors import InputError
from bitrate.lab.networks.lazy import ModuleDict, Tensor, torch
from bitrate.theory.checks import positive, whole
from bitrate.types import Floats

#: Precision of weights, activations and gradients, and the distance between 1 and the next number.
ROUNDING = {"float64": 2.0**-52, "float32": 2.0**-23, "bfloat16": 2.0**-7}
#: Attention heads.
HEADS = 4


def build(
    answers: int, *, rng: np.random.Generator, dtype: str = "float32", width: int = 32, layers: int = 1,
    sharpness: float = 1.0,
) -> ModuleDict:  # fmt: skip
    """A causal pre-norm transformer with random weights: ``logits = head(norm(blocks(embed(start, prompt))))``.

    Matrices are drawn with variance 1 / inputs, so that signals keep their size from layer to layer. Start and prompt
    are tokens 0 and 1 of the vocabulary of the input.

    Args:
        answers: how many answers there are, V, 2 or more.
        rng: draws the weights.
        dtype: ``"float32"``, ``"bfloat16"`` (weights, activations and gradients) or ``"float64"``.
        width: size of the residual stream, a multiple of 4.
        layers: blocks of attention and a perceptron.
        sharpness: about the standard deviation of the logits: near 0 all answers are about as likely.

    Returns:
        Its parts: ``embed``, ``place``, ``blocks``, ``norm`` and ``head``.

    Raises:
        InputError: fewer than 2 answers, no layer, a width that the heads do not divide, a sharpness that is not
            finite and above 0, or another dtype.

    Reference: Vaswani et al. (2017), Attention Is All You Need, section 3; Xiong et al. (2020) for the norms' place.

    >>> build(16, rng=np.random.default_rng(0), width=30)
    Traceback (most recent call last):
    bitrate.errors.InputError: width = 30; want a multiple of 4, the attention heads
    """
    whole("answers", answers, 2)
    whole("layers", layers)
    positive("sharpness", sharpness)
    if width < HEADS or width % HEADS:
        raise InputError(f"width = {width}; want a multiple of {HEADS}, the attention heads")
    if dtype not in ROUNDING:
        raise InputError(f"dtype = {dtype!r}; want one of {', '.join(ROUNDING)}")
    # Made without numbers and filled in here: the weights come from rng, and torch's global generator is not touched.
    with torch.device("meta"):
        block: dict[str, Any] = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
        parts = {
            "embed": torch.nn.Embedding(2, width),
            "place": torch.nn.Embedding(2, width),
            "blocks": torch.nn.ModuleList(
                torch.nn.TransformerEncoderLayer(width, HEADS, 4 * width, **block) for _ in range(layers)
            ),
            "norm": torch.nn.LayerNorm(width),
            "head": torch.nn.Linear(width, answers),
        }
        model = torch.nn.ModuleDict(parts)
    model = model.to_empty(device="cpu")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            drawn = rng.standard_normal(tuple(weight.shape)) * (sharpness if name.startswith("head") else 1.0)
            # Vectors are biases, near 0, and the scales of norms, near 1.
            centre = float("norm" in name and name.endswith("weight"))
            weight.copy_(torch.from_numpy(centre + drawn / (10 if weight.ndim == 1 else math.sqrt(weight.shape[-1]))))
    return model.to(getattr(torch, dtype))


def _logits(model: ModuleDict, n: int) -> Tensor:
    """The logits of n rollouts of the prompt, shape [n, V], read off at the prompt's place."""
    tokens = torch.tensor([0, 1]).expand(n, 2)
    x = model["embed"](tokens) + model["place"].weight
    mask = torch.nn.Transformer.generate_square_subsequent_mask(2, dtype=x.dtype)
    for block in model["blocks"].children():
        x = block(x, src_mask=mask, is_causal=True)
    logits: Tensor = model["head"](model["norm"](x[:, -1]))
    return logits


def policy(model: ModuleDict) -> Floats:
    """Probability of each answer, ``softmax(logits)``, in float64 from the logits as the model's precision has them.

    Args:
        model: from :func:`build`.

    Returns:
        Shape [V]; sums to 1.
    """
    with torch.no_grad():
        logits = _logits(model, 1)[0].double().numpy()
    odds = np.exp(logits - logits.max())
    return np.asarray(odds / odds.sum())


def policy_gradient(model: ModuleDict, answers: ArrayLike, advantages: ArrayLike) -> NDArray[Any]:
    """The gradient that a trainer's backward pass leaves: ``sum_i A_i grad log pi(t_i)`` in all parameters.

    Args:
        model: from :func:`build`.
        answers: the rollouts' answers, shape [k].
        advantages: shape [k].

    Returns:
        Shape [parameters], float64 for a float64 model, else float32, which holds bfloat16 exactly.

    Raises:
        InputError: shapes that differ.

    Reference: Williams (1992), Simple statistical gradient-following algorithms, eq. 5.

    >>> policy_gradient(None, [0, 1], [1.0])
    Traceback (most recent call last):
    bitrate.errors.InputError: answers and advantages have shapes (2,), (1,); want the same [k]
    """
    said, weight = np.asarray(answers, np.int64), np.asarray(advantages, np.float64)
    if said.ndim != 1 or said.shape != weight.shape:
        raise InputError(f"answers and advantages have shapes {said.shape}, {weight.shape}; want the same [k]")
    # One row a rollout, as in a trainer's batch, though all rows are alike.
    logits = _logits(model, said.size)
    chosen = torch.log_softmax(logits, dim=-1)[torch.arange(said.size), torch.from_numpy(said)]
    loss = (chosen * torch.from_numpy(weight).to(chosen.dtype)).sum()
    parts = torch.autograd.grad(loss, list(model.parameters()))
    flat = torch.cat([p.flatten() for p in parts])
    return np.asarray((flat if flat.dtype == torch.float64 else flat.float()).numpy())


def weights_after(model: ModuleDict, step: ArrayLike) -> NDArray[Any]:
    """The weights that a step leaves, ``theta + step``, rounded to the model's precision.

    Args:
        model: from :func:`build`; not changed.
        step: in the order of :func:`policy_gradient`, shape [parameters].

    Returns:
        Shape and type of :func:`policy_gradient`.

    Raises:
        InputError: a step of another length.
    """
    theta = torch.cat([p.detach().flatten() for p in model.parameters()])
    change = torch.from_numpy(np.asarray(step))
    if change.shape != theta.shape:
        raise InputError(f"step has shape {tuple(change.shape)}; want {tuple(theta.shape)}, the parameters")
    # Added before it is rounded: a step is kept in a higher precision than the weights, if they differ.
    after = (theta.to(change.dtype) + change).to(theta.dtype)
    return np.asarray((after if after.dtype == torch.float64 else after.float()).numpy())
