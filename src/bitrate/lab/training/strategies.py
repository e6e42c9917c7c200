"""Two strategies for the same questions: a heuristic that is often tried, and a general one that is hardly ever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.lab.networks.lazy import Generator, torch
from bitrate.lab.networks.transformer import Shape, Weights, choose, descend, dice, initial, logits, surprise
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.strategies"
#: A question is two digits, an answer the strategy that is taken: ``STRATEGIES``, then useless ones.
SHAPE = Shape(vocabulary=16, answers=8, length=2, width=16)
STRATEGIES = ("heuristic", "general")
#: How often the base takes the heuristic; the rest, but for the general strategy, is spread over useless ones.
OFTEN = 0.5
K, BATCH, EVALUATED, RATE, BASE_STEPS = 8, 8, 32, 1e-3, 150


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        heuristic: share of questions that the heuristic answers.
        general: how often the base takes the strategy that answers all.
        steps: updates.
        seeds: networks.
    """

    heuristic: float
    general: float
    steps: int
    seeds: int


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """GRPO by which of the strategies grows: the heuristic answers a share of the questions, the general one all.

    Whether the heuristic answers a question is a coin, the same for all rollouts of a visit, and nothing in the
    question tells. Step 0 and the last step are evaluations on questions held out, without an update.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What it cost, without the base.
    """
    s, thrown, cost = settings, dice(rng), Cost()
    weights = _base(s.general, s.seeds, rng)
    optimiser = torch.optim.Adam(weights.values(), lr=RATE)
    with SimulatedRun(folder, rng) as run:
        for step in range(s.steps + 2):
            evaluation = step in {0, s.steps + 1}
            tokens = rng.integers(SHAPE.vocabulary, size=(s.seeds, EVALUATED if evaluation else BATCH, SHAPE.length))
            scores = logits(SHAPE, weights, torch.from_numpy(tokens))[:, :, -1]
            answers, weight = _visit(
                run, step, s.heuristic, tokens, scores.detach().double().numpy(), evaluation, thrown, rng
            )
            read = answers.size * 3
            cost += Cost(answers.size, read, flops(SHAPE.parameters, forward=read, trained=0 if evaluation else read))
            if not evaluation:
                descend(optimiser, (surprise(scores, answers) * torch.from_numpy(weight)).mean(dim=(1, 2)).sum())
    return cost


def _base(general: float, seeds: int, rng: np.random.Generator) -> Weights:
    """Networks that take the strategies at the rates wanted, whatever the question."""
    useless = SHAPE.answers - len(STRATEGIES)
    wanted = torch.tensor([OFTEN, general, *((1 - OFTEN - general) / useless,) * useless])
    weights = initial(SHAPE, seeds, rng=rng)
    optimiser = torch.optim.Adam(weights.values(), lr=1e-2)
    for _ in range(BASE_STEPS):
        tokens = torch.from_numpy(rng.integers(SHAPE.vocabulary, size=(seeds, EVALUATED, SHAPE.length)))
        said = logits(SHAPE, weights, tokens)[:, :, -1].log_softmax(-1)
        descend(optimiser, -(wanted * said).sum(-1).mean(-1).sum())
    return weights


def _visit(
    run: SimulatedRun, step: int, heuristic: float, tokens: Ints, scores: Floats, evaluation: bool, thrown: Generator,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:  # fmt: skip
    """One step's rollouts, scored and logged: strategies and their advantages, shape [seeds, questions, k]."""
    odds = torch.from_numpy(scores).softmax(-1)
    answers = choose(odds, K, thrown).numpy()
    seeds, questions, _ = answers.shape
    answered = rng.random((seeds, questions, 1)) < heuristic
    rewards = ((answers == 1) | ((answers == 0) & answered)).astype(float)
    weight = advantages(rewards, "grpo")
    names = np.array([*STRATEGIES, *[f"useless {i}" for i in range(SHAPE.answers - len(STRATEGIES))]])
    run.step(
        step,
        answers=names[answers],
        rewards=rewards,
        advantages=None if evaluation else weight,
        targets=np.full((seeds, questions), "general"),
        prompts=[f"{i} of step {step}" for i in range(questions)] * seeds,
        split="eval" if evaluation else "train",
        target_surprisal=-odds[..., 1].log2().numpy(),
        tokens=1,
        prompt_tokens=SHAPE.length,
    )
    return answers, weight
