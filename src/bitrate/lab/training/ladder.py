"""A supervised compute ladder: networks trained by labels from scratch, one rung after another with more FLOPs.

A string is answered letter by letter, from a hidden table of pairs: a letter and the one before it. Letters are as
unequal as words are: a few are common, most are rare, so that what is left to learn is always rarer than what was
learnt before, and the loss falls slowly as compute grows. A string passes when all of its letters are right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Tensor, torch
from bitrate.lab.networks.transformer import Shape, Weights, descend, initial, logits
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.ladder"
#: Letters that are read, those that are written, and letters of a string: chance passes one string in 2^20.
LETTERS, ANSWERS, LENGTH = 32, 16, 5
#: Zipf's law: the r-th letter is met in proportion to 1/r.
MET = 1 / np.arange(1, LETTERS + 1)
#: Share of the steps in which the learning rate rises; then it falls to 0.
WARM = 0.1


@dataclass(frozen=True)
class Settings:
    """A rung.

    Args:
        width: of the networks.
        steps: updates.
        batch: strings of an update.
        rate: greatest learning rate.
        held_out: strings that are not trained on.
        seeds: networks.

    Raises:
        InputError: no step.
    """

    width: int
    steps: int
    batch: int
    rate: float
    held_out: int
    seeds: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"steps = {self.steps}; want 1 or more")

    @property
    def shape(self) -> Shape:
        """Of each network."""
        return Shape(vocabulary=LETTERS, answers=ANSWERS, length=LENGTH, width=self.width)


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Train networks on tables of their own, log all labels, and visit the strings held out once, at the end.

    Args:
        settings: of the rung.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What the training cost; the visit to strings held out is not in it.
    """
    s = settings
    weights = initial(s.shape, s.seeds, rng=rng)
    optimiser = torch.optim.Adam(weights.values(), lr=1.0)
    tables = rng.integers(ANSWERS, size=(s.seeds, LETTERS, LETTERS))
    held_out = _draw(s, s.held_out, rng)
    taken = _words(held_out)
    with SimulatedRun(folder, rng) as run:
        for step in range(s.steps):
            letters = _draw(s, s.batch, rng)
            while (known := (_words(letters)[..., None] == taken[:, None]).any(-1)).any():
                letters[known] = _draw(s, s.batch, rng)[known]
            answers = _answers(tables, letters)
            run.step(
                step, answers=_words(answers)[..., None], rewards=None, targets=_words(answers),
                prompts=_words(letters), tokens=LENGTH, prompt_tokens=LENGTH,
            )  # fmt: skip
            optimiser.param_groups[0]["lr"] = s.rate * _schedule(step, s.steps)
            odds = _odds(s, weights, letters)
            chosen = odds.gather(-1, torch.from_numpy(answers)[..., None])[..., 0]
            descend(optimiser, -chosen.mean(dim=(1, 2)).sum())
        with torch.no_grad():
            _evaluate(run, s.steps, held_out, _answers(tables, held_out), _odds(s, weights, held_out), rng)
    strings = s.seeds * s.steps * s.batch
    return Cost(strings, strings * LENGTH, flops(s.shape.parameters, trained=strings * LENGTH))


def _schedule(step: int, steps: int) -> float:
    """Share of the greatest rate: a rise over the first tenth of the steps, then a straight fall to 0."""
    done = (step + 0.5) / steps
    return min(done / WARM, (1 - done) / (1 - WARM))


def _draw(s: Settings, strings: int, rng: np.random.Generator) -> Ints:
    """Strings of each seed, shape [seeds, strings, letters]."""
    return rng.choice(LETTERS, size=(s.seeds, strings, LENGTH), p=MET / MET.sum())


def _answers(tables: Ints, letters: Ints) -> Ints:
    """What the table of each seed says of a letter after another; the first letter stands after itself."""
    before = np.concatenate([letters[..., :1], letters[..., :-1]], axis=-1)
    return tables[np.arange(len(tables))[:, None, None], before, letters]  # type: ignore[no-any-return]


def _odds(s: Settings, weights: Weights, letters: Ints) -> Tensor:
    """Log-odds of each answer at each place."""
    return logits(s.shape, weights, torch.from_numpy(letters)).log_softmax(-1)


def _evaluate(
    run: SimulatedRun, step: int, letters: Ints, answers: Ints, odds: Tensor, rng: np.random.Generator
) -> None:
    """One sampled answer to each string, and how surprising the right one is."""
    exact: Floats = odds.double().log_softmax(-1).numpy()
    said = (exact + rng.gumbel(size=exact.shape)).argmax(-1)
    bits = -np.take_along_axis(exact, answers[..., None], axis=-1)[..., 0].sum(-1) / math.log(2)
    right = (said == answers).all(-1).astype(float)
    run.step(
        step, answers=_words(said)[..., None], rewards=right[..., None], targets=_words(answers),
        prompts=_words(letters), split="eval", target_surprisal=bits, tokens=LENGTH, prompt_tokens=LENGTH,
    )  # fmt: skip


def _words(letters: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
    """Strings as text, shape of ``letters`` less the last axis."""
    codes = np.ascontiguousarray((letters + ord("0")).astype(np.uint8))
    return np.asarray(codes.view(f"S{letters.shape[-1]}")[..., 0].astype(str))
