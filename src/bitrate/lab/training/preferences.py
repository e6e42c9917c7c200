"""The same preferences used in several ways: SFT, DPO, and reward models for best-of-n and for RL.

All ways of a network start from the same weights, whose policy is the uniform reference, and are given the same pairs
and the same number of updates. They are trained in one call, so that they can be compared pair by pair. What a reward
model is told of the task besides is in :mod:`bitrate.lab.training.verifiers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.lab.networks.lazy import Tensor, torch
from bitrate.lab.networks.lazy import functional as f
from bitrate.lab.networks.transformer import (
    Shape,
    Weights,
    descend,
    dice,
    initial,
    log_policy,
    sample,
    visits,
)
from bitrate.lab.training.gap_tasks import TOKENS, Counting, Preferences, Texts, text
from bitrate.lab.training.verifiers import VERIFIERS, verifier
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

Score = Callable[[Tensor, Tensor], Tensor]
#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.preferences"
#: Runs of the log are called after the way and the seed, ``<repetition>/<way>-<seed>``.
WAYS = ("sft", "dpo", *(f"{kind}-{use}" for kind in VERIFIERS for use in ("best", "rl")))
#: Pairs of an update, prompts of an RL update, updates over which the rate rises; then it falls to 0.
BATCH, GROUPS, WARM = 32, 8, 20
#: Rollouts a prompt in the visits before and after training; a best-of-n answer costs n of them.
PROBES, BEST_PROBES = 16, 4
#: Every so many RL updates the rollouts of one are logged.
LOGGED = 50


@dataclass(frozen=True)
class Rates:
    """Learning rates.

    Args:
        sft: of supervised fine-tuning.
        dpo: of DPO.
        rule: of the reward model that is a rule.
        bag: of the one that reads a bag of tokens.
        network: of the one that is a transformer.
        rl: of RL on any of them.
    """

    sft: float
    dpo: float
    rule: float
    bag: float
    network: float
    rl: float


@dataclass(frozen=True)
class Settings:
    """An arm: all ways of one task.

    Args:
        task: see :mod:`bitrate.lab.training.gap_tasks`.
        horizon: T, tokens of an answer.
        contexts: of the task.
        pairs: preferences of each network.
        updates: of each way.
        k: rollouts of a group.
        best: n of best-of-n.
        beta: of DPO and of RL, nats.
        rates: of the ways.
        seeds: networks.
    """

    task: str
    horizon: int
    contexts: int
    pairs: int
    updates: int
    k: int
    best: int
    beta: float
    rates: Rates
    seeds: int


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Train networks in every way on the same preferences, and log what each was told and what it answers.

    Each pair is a row without a reward, ``"better > worse"``, for each way. The rewards of rollouts are true outcomes,
    1 for a right answer, in training as in evaluation: the RL runs never see them. What they are trained on is the
    component ``reward model``; the pull to the reference comes on top.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What it cost, all ways together.

    Reference: Rafailov et al. (2023), Direct preference optimization, eq. 7; Swamy et al. (2025), All roads lead to
    likelihood.
    """
    s = settings
    task = Counting.draw(s.task, s.seeds, s.horizon, s.contexts, rng)
    with SimulatedRun(folder, rng) as run:
        lab = _Lab(s, task, run, rng)
        for way in WAYS:
            lab.tell(way)
            lab.visit(way, 0, lab.start)
        lab.visit("sft", lab.after, lab.fit(s.rates.sft, lab.start, lab.sft_loss))
        lab.visit("dpo", lab.after, lab.fit(s.rates.dpo, lab.start, lab.dpo_loss))
        for kind in VERIFIERS:
            score = lab.reward_model(kind)
            lab.visit(f"{kind}-best", lab.after, lab.start, best=score)
            lab.visit(f"{kind}-rl", lab.after, lab.ascend(f"{kind}-rl", score))
    return lab.cost


class _Lab:
    """The networks of one call: their task, pairs and starting weights; ``after`` is the step of the last visit."""

    def __init__(self, s: Settings, task: Counting, run: SimulatedRun, rng: np.random.Generator) -> None:
        self.s, self.task, self.run, self.rng, self.after, self.cost = s, task, run, rng, s.updates, Cost()
        self.shape = Shape(task.vocabulary, TOKENS, 2 + task.horizon)
        self.start = initial(self.shape, s.seeds, rng=rng)
        self.told = Preferences.draw(task, s.pairs, rng)
        both = np.stack([self.told.better, self.told.worse], axis=2)
        self.pairs = torch.from_numpy(self.told.prompts), torch.from_numpy(both)
        self.dice = dice(rng)

    def spend(self, answers: int, *, forward: int = 0, trained: int = 0, size: int | None = None) -> None:
        """Count answers of all seeds, and how often each was generated or scored, and trained on.

        By networks of the policy's size, or of ``size`` weights.
        """
        tokens = answers * (2 + self.task.horizon)
        work = flops(size or self.shape.parameters, forward=forward * tokens, trained=trained * tokens)
        self.cost += Cost(answers, tokens, work)

    def tell(self, way: str) -> None:
        """Log the pairs, as labels: their order is all that they say."""
        p = self.told
        said = np.char.add(np.char.add(text(p.better), " > "), text(p.worse))[..., None]
        names, runs = self.task.names(p.prompts), self.runs(way, p.prompts.shape[1])
        self.run.step(0, answers=said, rewards=None, prompts=names, runs=runs)

    def runs(self, way: str, prompts: int) -> Texts:
        """Name of the run of each prompt of each seed."""
        return np.repeat([f"{way}-{i}" for i in range(self.s.seeds)], prompts)

    def visit(self, way: str, step: int, weights: Weights, best: Score | None = None) -> None:
        """Sample answers to the prompts of the evaluation, or the best of n by a score, and log the true outcomes."""
        n, k = (self.s.best, BEST_PROBES) if best else (1, PROBES)
        prompts = self.task.evaluated
        asked = torch.from_numpy(prompts)
        said = sample(self.shape, weights, asked, k * n, self.task.horizon, self.dice).flatten(1, 2)
        self.spend(said.shape[0] * said.shape[1], forward=_passes(way))
        scored: dict[str, Floats] | None = None
        if best:
            with torch.no_grad():
                marks = best(asked.repeat_interleave(k * n, 1), said).view(len(said), -1, n)
            mark, which = marks.max(-1)
            said = said.view(*marks.shape, -1).take_along_dim(which[..., None, None], 2)[:, :, 0]
            scored = {"reward model": mark.reshape(-1, k).numpy()}
        self.log(way, step, prompts, said.numpy(), k, split="eval", components=scored)

    def log(self, way: str, step: int, prompts: Ints, said: Ints, k: int, **columns: Any) -> None:
        """Log k answers to each prompt, shape [seeds, prompts * k, horizon], with their true outcomes."""
        right = self.task.error(np.repeat(prompts, k, axis=1), said) == 0
        names, runs = self.task.names(prompts).ravel(), self.runs(way, prompts.shape[1])
        self.run.step(
            step, answers=text(said).reshape(-1, k), rewards=right.reshape(-1, k).astype(float), prompts=names,
            runs=runs, tokens=self.task.horizon, prompt_tokens=2, **columns,
        )  # fmt: skip

    def fit(self, rate: float, start: Weights, loss: Callable[[Weights, Tensor, Tensor], Tensor]) -> Weights:
        """Minimise a loss of pairs, shape [seeds], from the weights that are given."""
        weights = {name: w.detach().clone().requires_grad_() for name, w in start.items()}
        prompts, both = self.pairs
        steps = _Steps(weights, rate, self.after)
        for shown in visits(self.s.seeds, self.s.pairs, min(BATCH, self.s.pairs), self.after, self.rng):
            which = torch.from_numpy(shown)[..., None]
            picked = prompts.take_along_dim(which, 1), both.take_along_dim(which[..., None], 1)
            steps.descend(loss(weights, *picked).sum())
            self.spend(2 * shown.size, trained=1, size=sum(w[0].numel() for w in weights.values()))
        return weights

    def sft_loss(self, weights: Weights, prompts: Tensor, both: Tensor) -> Tensor:
        """-log pi(better answer)."""
        return -log_policy(self.shape, weights, prompts, both[:, :, 0]).sum(-1).mean(-1)

    def dpo_loss(self, weights: Weights, prompts: Tensor, both: Tensor) -> Tensor:
        """-log sigmoid of beta times the lead in log-ratio; the uniform reference has a lead of 0."""
        said = log_policy(self.shape, weights, prompts.repeat_interleave(2, 1), both.flatten(1, 2)).sum(-1)
        return _bradley_terry(self.s.beta * said)

    def reward_model(self, kind: str) -> Score:
        """A reward model that is fitted to the pairs."""
        model = verifier(kind, self.task, self.shape, self.start, self.rng)

        def loss(weights: Weights, prompts: Tensor, both: Tensor) -> Tensor:
            return _bradley_terry(model.score(weights, prompts.repeat_interleave(2, 1), both.flatten(1, 2)))

        fitted = self.fit(getattr(self.s.rates, kind), model.weights, loss)
        return lambda prompts, answers: model.score(fitted, prompts, answers)

    def ascend(self, way: str, score: Score) -> Weights:
        """GRPO on a reward model's score less beta times the log-ratio to the reference, on the training prompts."""
        s, k = self.s, self.s.k
        weights = {name: w.detach().clone().requires_grad_() for name, w in self.start.items()}
        steps = _Steps(weights, s.rates.rl, self.after)
        every = np.tile(np.arange(self.task.train.shape[1]), (s.seeds, 1))
        for step in range(self.after):
            asked = np.take_along_axis(self.task.train, self.rng.permuted(every, axis=1)[:, :GROUPS, None], axis=1)
            prompts = torch.from_numpy(asked)
            said = sample(self.shape, weights, prompts, k, self.task.horizon, self.dice).flatten(1, 2)
            repeated = prompts.repeat_interleave(k, 1)
            chosen = log_policy(self.shape, weights, repeated, said).sum(-1)
            with torch.no_grad():
                marks = score(repeated, said)
                ratio = chosen + self.task.horizon * float(np.log(TOKENS))
                rewards = (marks - s.beta * ratio).reshape(-1, k).double().numpy()
            weight = advantages(rewards, "grpo")
            if step and step % LOGGED == 0:
                parts = {"reward model": marks.reshape(-1, k).numpy()}
                answers = said.numpy()
                self.log(way, step, asked, answers, k, split="train", components=parts, advantages=weight)
            steps.descend(-(chosen * torch.as_tensor(weight).to(chosen).view_as(chosen)).mean(-1).sum())
            self.spend(said.shape[0] * said.shape[1], forward=_passes(way), trained=1)
        return weights


def _passes(way: str) -> int:
    """Passes of a transformer for an answer that is generated and scored; the other scores cost next to nothing."""
    return 2 if way.startswith("network") else 1


class _Steps:
    """Adam with a rate that rises, then falls to 0."""

    def __init__(self, weights: Weights, rate: float, updates: int) -> None:
        self.optimiser = torch.optim.Adam(list(weights.values()), lr=rate)
        shape = torch.optim.lr_scheduler.LambdaLR
        self.rate = shape(self.optimiser, lambda i: min(1.0, (i + 1) / WARM) * (1 - i / updates))

    def descend(self, loss: Tensor) -> None:
        """One update."""
        descend(self.optimiser, loss)
        self.rate.step()


def _bradley_terry(scores: Tensor) -> Tensor:
    """Loss of each seed, [seeds], of scores [seeds, pairs * 2], the better answer's first."""
    better, worse = scores.view(len(scores), -1, 2).unbind(-1)
    return -f.logsigmoid(better - worse).mean(-1)
