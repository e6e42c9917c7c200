"""Many small transformers at once: one set of weights a seed, prompts and answers as sequences of tokens.

Every weight has the seeds as its first axis, so that a loss summed over seeds has each seed's own gradient, and Adam,
which works number by number, trains each as if it were alone. They run on the CPU, on a GPU machine too: a step takes
milliseconds, and has the same bits everywhere. PyTorch comes with the extra ``bitrate[train]``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Generator, Optimizer, Tensor, torch
from bitrate.lab.networks.lazy import functional as f
from bitrate.types import Floats, Ints

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Shape:
    """A causal pre-norm transformer.

    Args:
        vocabulary: tokens that can be read.
        answers: tokens that can be written, the first ones of the vocabulary, or another number of outputs.
        length: most tokens of a sequence.
        width: size of the residual stream.
        layers: blocks of attention and a perceptron.
        heads: attention heads; the width is a multiple.

    Raises:
        InputError: a width that the heads do not divide, or a size below 1.

    >>> Shape(vocabulary=10, answers=4, length=3, width=8).parameters
    928
    """

    vocabulary: int
    answers: int
    length: int
    width: int = 32
    layers: int = 1
    heads: int = 4

    def __post_init__(self) -> None:
        least = min(self.vocabulary, self.answers, self.length, self.width, self.layers, self.heads)
        if least < 1 or self.width % self.heads:
            raise InputError(f"{self}; want sizes of 1 or more, and a width that the heads divide")

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each weight, without the axis of seeds; matrices are [inputs, outputs]."""
        w, found = self.width, dict[str, tuple[int, ...]]()
        found["embed"], found["place"] = (self.vocabulary, w), (self.length, w)
        for i in range(self.layers):
            found |= {f"{i}.qkv": (w, 3 * w), f"{i}.out": (w, w), f"{i}.up": (w, 4 * w), f"{i}.down": (4 * w, w)}
            found |= {f"{i}.norm1": (w,), f"{i}.norm2": (w,)}
        return found | {"norm": (w,), "head": (w, self.answers)}

    @property
    def parameters(self) -> int:
        """How many weights a network has."""
        return sum(math.prod(s) for s in self.sizes().values())


def initial(shape: Shape, seeds: int, *, rng: np.random.Generator) -> Weights:
    """Fresh weights: matrices with variance 1 / inputs, norms 1, and a head of 0, so that all answers are alike.

    A head of 0 makes the starting policy exactly the uniform prior over answers: what the policy then holds of a
    planted answer, ``log2 V + log2 pi(answer)``, needs no other reference.

    Args:
        shape: of each network.
        seeds: how many networks.
        rng: draws the weights.

    Returns:
        Float32 tensors with the seeds as first axis, which take a gradient.
    """
    found: Weights = {}
    for name, size in shape.sizes().items():
        if len(size) == 1:
            drawn = np.ones((seeds, *size))
        elif name == "head":
            drawn = np.zeros((seeds, *size))
        else:
            fan = size[0] if name[0].isdigit() else size[1]  # rows of a table are vectors, not inputs
            drawn = rng.standard_normal((seeds, *size)) / math.sqrt(fan if name[0].isdigit() else 1.0)
        found[name] = torch.tensor(drawn, dtype=torch.float32, requires_grad=True)
    return found


def logits(shape: Shape, weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """What each network makes of each prefix of its sequences.

    Args:
        shape: of the networks.
        weights: from :func:`initial`, or of the same shapes; seeds first.
        tokens: whole numbers below ``vocabulary``, shape [seeds, sequences, length].

    Returns:
        Shape [seeds, sequences, length, answers].

    Reference: Vaswani et al. (2017), Attention Is All You Need; Xiong et al. (2020) for the norms' place.
    """
    seeds, rows, length = tokens.shape
    every = torch.arange(seeds)[:, None, None]
    x = weights["embed"][every, tokens] + weights["place"][:, None, :length]

    def norm(x: Tensor, name: str) -> Tensor:
        return f.layer_norm(x, x.shape[-1:]) * weights[name][:, None, None]

    def times(x: Tensor, name: str) -> Tensor:
        return torch.bmm(x.reshape(seeds, rows * length, -1), weights[name]).view(seeds, rows, length, -1)

    for i in range(shape.layers):
        qkv = times(norm(x, f"{i}.norm1"), f"{i}.qkv").view(seeds * rows, length, 3, shape.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = f.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + times(seen.transpose(1, 2).reshape(seeds, rows, length, -1), f"{i}.out")
        x = x + times(f.gelu(times(norm(x, f"{i}.norm2"), f"{i}.up")), f"{i}.down")
    return times(norm(x, "norm"), "head")


def log_policy(shape: Shape, weights: Mapping[str, Tensor], prompts: Tensor, answers: Tensor) -> Tensor:
    """``log pi(token | prompt, tokens before)`` of given answers, in nats, token by token.

    Args:
        shape: of the networks.
        weights: seeds first.
        prompts: shape [seeds, sequences, prompt tokens].
        answers: shape [seeds, sequences, answer tokens].

    Returns:
        Shape of ``answers``.
    """
    start = prompts.shape[-1] - 1
    said = logits(shape, weights, torch.cat([prompts, answers[..., :-1]], dim=-1))[:, :, start:]
    found: Tensor = said.log_softmax(-1).gather(-1, answers[..., None])[..., 0]
    return found


def sample(
    shape: Shape, weights: Mapping[str, Tensor], prompts: Tensor, k: int, tokens: int, dice: Generator
) -> Tensor:
    """K answers to every prompt, at temperature 1.

    Args:
        shape: of the networks.
        weights: seeds first.
        prompts: shape [seeds, prompts, prompt tokens].
        k: answers a prompt.
        tokens: tokens an answer.
        dice: where chance comes from.

    Returns:
        Shape [seeds, prompts, k, tokens].
    """
    seeds, n, _ = prompts.shape
    with torch.no_grad():
        if tokens == 1:  # one answer token: the k rollouts of a prompt are draws from one distribution
            return choose(logits(shape, weights, prompts)[:, :, -1].softmax(-1), k, dice)[..., None]
        said = prompts.repeat_interleave(k, dim=1)
        for _ in range(tokens):
            odds = logits(shape, weights, said)[:, :, -1].softmax(-1)
            one = torch.multinomial(odds.flatten(0, 1), 1, generator=dice).view(seeds, n * k, 1)
            said = torch.cat([said, one], dim=-1)
        return said[..., -tokens:].reshape(seeds, n, k, tokens)


def choose(odds: Tensor, k: int, dice: Generator) -> Tensor:
    """K answers of one token to every prompt.

    Args:
        odds: probabilities, shape [seeds, prompts, answers].
        k: answers a prompt.
        dice: where chance comes from.

    Returns:
        Shape [seeds, prompts, k].
    """
    drawn = torch.multinomial(odds.flatten(0, 1), k, replacement=True, generator=dice)
    return drawn.view(*odds.shape[:2], k)


def surprise(scores: Tensor, answers: Ints) -> Tensor:
    """Minus the log-likelihood of answers, nats.

    Args:
        scores: logits, shape [seeds, prompts, answers].
        answers: shape [seeds, prompts, k].

    Returns:
        Shape of ``answers``.
    """
    found: Tensor = -scores.log_softmax(-1).gather(-1, torch.from_numpy(answers))
    return found


def surprisal(scores: Tensor, targets: Ints) -> Floats:
    """Bits of one answer to each prompt, shape [seeds, prompts], as a log has them: no gradient, double precision."""
    return np.asarray(surprise(scores.detach().double(), targets[..., None])[..., 0].numpy() / math.log(2))


def descend(optimiser: Optimizer, loss: Tensor) -> None:
    """One update of every seed, by the gradient of a loss that is summed over them."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def visits(seeds: int, prompts: int, batch: int, steps: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Which prompts each seed visits in each step, shape [seeds, batch].

    An epoch visits each prompt once, in an order of each seed's own; those that fill no batch are left out of it.

    Args:
        seeds: how many orders.
        prompts: of each seed.
        batch: of a step; as many as there are prompts, or fewer.
        steps: how many.
        rng: draws the orders, epoch by epoch.
    """
    every, whole = np.tile(np.arange(prompts), (seeds, 1)), prompts // batch

    def epochs() -> Iterator[Ints]:
        while True:
            yield from np.split(rng.permuted(every, axis=1)[:, : whole * batch], whole, axis=1)

    return islice(epochs(), steps)


def dice(rng: np.random.Generator) -> Generator:
    """A generator of torch, seeded from one of NumPy."""
    made = torch.Generator()
    made.manual_seed(int(rng.integers(1 << 62)))
    return made
