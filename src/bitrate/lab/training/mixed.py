"""Two kinds of prompts in one network: keys, that can only be memorised, and a rule, that holds for others too.

Every network starts from a base of its own, pretrained on noisy examples of the rule. What it is told then comes from
labels, teachers or verifiers: true ones, noisy ones, and some that know nothing of the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Generator, Tensor, torch
from bitrate.lab.networks.lazy import functional as f
from bitrate.lab.networks.transformer import Weights, choose, descend, dice, logits, surprisal, surprise, visits
from bitrate.lab.training.families import DIGITS, KINDS, SHAPE, SIZES, Prompts, asked, base, deck
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.mixed"
K, RATE, HOT = 8, 2e-3, 2.0
#: Prompts of a step, or all there are: with K rollouts each, or with a label each.
BATCH = {"rollouts": 8, "labels": 48}
#: Weight of ``KL(policy || base)`` in policy gradients, nats.
KL = 0.1
#: Visits to each prompt by which a teacher learns.
TEACHER_VISITS = 64
METHODS = ("none", "sft", "hot", "distil", "grpo", "value")
VERIFIERS = ("true", "random", "majority")
#: Of a rollout: three of the prompt, and an answer.
TOKENS = 4


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        method: one of ``METHODS``.
        visits: to each prompt that is trained on.
        seeds: networks.
        verifier: of rollouts, one of ``VERIFIERS``.
        noise: share of labels that are another answer, drawn afresh at each visit, or of verdicts that are flipped.
        bits: that each of a teacher's logits is rounded to, with ``"distil"`` and only there.
        kinds: whose prompts are trained on.

    Raises:
        InputError: an unknown method or verifier.
    """

    method: str
    visits: int
    seeds: int
    verifier: str = "true"
    noise: float = 0.0
    bits: int | None = None
    kinds: tuple[str, ...] = ("key", "rule")

    def __post_init__(self) -> None:
        for name, found, known in (("method", self.method, METHODS), ("verifier", self.verifier, VERIFIERS)):
            if found not in known:
                raise InputError(f"{name} = {found!r}; want one of {', '.join(known)}")
        if (self.method == "distil") != (self.bits is not None) or self.bits == 0:
            raise InputError(f"bits = {self.bits} with {self.method}; want bits of a logit with distil, and only there")


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Pretrain a base for each seed, train it by one method, and log what it was told.

    Step 0 and the last step visit every prompt, those held out too, without an update: K rollouts scored by the true
    verifier, of which the learner hears nothing. What is logged in between made updates.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What the training cost, that of a teacher with it; bases and evaluations are not counted.

    Reference: docs/theory.md#training, T8; Zuo et al. (2025), TTRL, for the reward of the majority; Hinton et al.
    (2015) for distillation.
    """
    s = settings
    thrown = dice(rng)
    decks = {kind: deck(kind, s.seeds, rng) for kind in KINDS}
    shown = asked([decks[kind][:, : SIZES[kind][0]] for kind in s.kinds], rng)
    tested = [kind for kind in ("rule", "dark") if kind == "rule" or kind in s.kinds]
    held = asked([decks[kind][:, SIZES[kind][0] : sum(SIZES[kind])] for kind in tested], rng)
    learner = _Learner(s, base(decks, rng), thrown, rng)
    teacher = learner.teacher(shown) if s.method in {"hot", "distil"} else None
    batch = BATCH["rollouts" if s.method in {"grpo", "value"} else "labels"]
    with SimulatedRun(folder, rng) as run:
        learner.evaluate(run, 0, shown, held)
        step = 0
        for step, which in enumerate(_visits(shown, s.visits, batch, rng), 1):
            said = None if teacher is None else np.take_along_axis(teacher, which[..., None], axis=1)
            learner.visit(run, step, shown.take(which), said)
        learner.evaluate(run, step + 1, shown, held)
    return learner.cost


def _visits(shown: Prompts, epochs: int, batch: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Which prompts each seed visits in each step: every epoch all of them, in an order of its own."""
    seeds, total = shown.targets.shape
    size = total // max(1, total // batch)
    return visits(seeds, total, size, epochs * total // size, rng)


class _Learner:
    """Networks of many seeds under one method."""

    def __init__(self, s: Settings, weights: Weights, thrown: Generator, rng: np.random.Generator) -> None:
        self.s, self.weights, self.thrown, self.rng, self.cost = s, weights, thrown, rng, Cost()
        self.optimiser = torch.optim.Adam(weights.values(), lr=RATE)
        self.reference = {name: w.detach().clone() for name, w in weights.items()}

    def scores(self, prompts: Prompts) -> tuple[Tensor, Tensor]:
        """Logits of the answers, and of the reward that the network expects."""
        said = logits(SHAPE, self.weights, torch.from_numpy(prompts.tokens))[:, :, -1]
        return said[..., :DIGITS], said[..., DIGITS]

    def paid(self, sequences: int, scored: bool, trained: bool, rollouts: int | None = None) -> None:
        """Count sequences that were sampled or scored, trained on, or both; all are rollouts unless said otherwise."""
        tokens, rollouts = sequences * TOKENS, sequences if rollouts is None else rollouts
        self.cost += Cost(rollouts, tokens, flops(SHAPE.parameters, forward=scored * tokens, trained=trained * tokens))

    def step(self, loss: Tensor) -> None:
        """One update of every seed; ``loss`` has an entry a seed and prompt."""
        descend(self.optimiser, loss.mean(dim=1).sum())

    def sampled(self, odds: Tensor, k: int) -> Ints:
        """Answers from ``odds`` [seeds, prompts, answers]: shape [seeds, prompts, k]."""
        return np.asarray(choose(odds.detach().double(), k, self.thrown).numpy())

    def evaluate(self, run: SimulatedRun, step: int, shown: Prompts, held: Prompts) -> None:
        """Every prompt, without an update."""
        for prompts, split in ((shown, "train"), (held, "eval")):
            with torch.no_grad():
                scores, _ = self.scores(prompts)
            answers = self.sampled(scores.softmax(-1), K)
            hits = (answers == prompts.targets[..., None]).astype(float)
            _log(run, step, prompts, scores, answers, hits, split=split)

    def teacher(self, shown: Prompts) -> Floats:
        """Logits [seeds, prompts, answers] of networks that learnt the labels from the same bases."""
        weights = {name: w.detach().clone().requires_grad_() for name, w in self.weights.items()}
        elder = _Learner(self.s, weights, self.thrown, self.rng)
        for which in _visits(shown, TEACHER_VISITS, BATCH["labels"], self.rng):
            few = shown.take(which)
            elder.step(surprise(elder.scores(few)[0], few.targets[..., None]).mean(-1))
            elder.paid(few.targets.size, False, True)
        with torch.no_grad():
            said = elder.scores(shown)[0]
        elder.paid(shown.targets.size, True, False, rollouts=0)
        self.cost += elder.cost
        return np.asarray(said.double().numpy())

    def visit(self, run: SimulatedRun, step: int, prompts: Prompts, teacher: Floats | None) -> None:
        """One step of the method: what is told, logged and learnt."""
        scores, expected = self.scores(prompts)
        method = self.s.method
        if method in {"grpo", "value"}:
            self._reinforce(run, step, prompts, scores, expected)
            return
        if teacher is None:
            labels = self._noisy(prompts.targets)
        elif method == "hot":
            labels = self.sampled(torch.from_numpy(teacher / HOT).softmax(-1), 1)[..., 0]
        else:
            assert self.s.bits
            teacher = quantised(teacher, self.s.bits)
            labels = teacher.argmax(axis=-1)
        _log(run, step, prompts, scores, labels[..., None], None)
        self.paid(labels.size, False, True)
        if method == "distil":
            wanted = torch.from_numpy(teacher).softmax(-1)
            self.step(-(wanted * scores.double().log_softmax(-1)).sum(-1))
        else:
            self.step(surprise(scores, labels[..., None])[..., 0])

    def _noisy(self, targets: Ints) -> Ints:
        """Labels of which a share is one of the other answers."""
        other = (targets + self.rng.integers(1, DIGITS, size=targets.shape)) % DIGITS
        return np.where(self.rng.random(targets.shape) < self.s.noise, other, targets)

    def _reinforce(self, run: SimulatedRun, step: int, prompts: Prompts, scores: Tensor, expected: Tensor) -> None:
        """K rollouts of each prompt, the verdicts on them, and a policy gradient."""
        answers = self.sampled(scores.softmax(-1), K)
        rewards = verdicts(answers, prompts.targets, self.s.verifier, self.s.noise, self.rng)
        if self.s.method == "value":
            weight = rewards - expected.detach().sigmoid().double().numpy()[..., None]
        else:
            weight = advantages(rewards, "grpo")
        _log(run, step, prompts, scores, answers, rewards, weight)
        self.paid(answers.size, True, True)
        self.paid(prompts.targets.size, True, False, rollouts=0)  # the reference scores each prompt once
        loss = (surprise(scores, answers) * torch.from_numpy(weight)).mean(-1)
        with torch.no_grad():
            start = logits(SHAPE, self.reference, torch.from_numpy(prompts.tokens))[:, :, -1, :DIGITS].log_softmax(-1)
        now = scores.log_softmax(-1)
        loss = loss + KL * (now.exp() * (now - start)).sum(-1)
        if self.s.method == "value":
            seen = torch.from_numpy(rewards.mean(axis=-1)).float()
            loss = loss + f.binary_cross_entropy_with_logits(expected, seen, reduction="none")
        self.step(loss)


def verdicts(answers: Ints, targets: Ints, verifier: str, noise: float, rng: np.random.Generator) -> Floats:
    """Rewards of rollouts.

    Args:
        answers: shape [..., k].
        targets: the right answers, shape [...].
        verifier: ``"true"``; ``"random"``: a fair coin; ``"majority"``: whether no answer of the group is more common.
        noise: share of verdicts that are flipped.
        rng: draws the coins and the flips.

    Returns:
        0 or 1, shape of ``answers``.

    >>> rng = np.random.default_rng(0)
    >>> verdicts(np.array([[3, 5, 5]]), np.array([3]), "majority", 0.0, rng).tolist()
    [[0.0, 1.0, 1.0]]
    """
    if verifier == "true":
        right = answers == targets[..., None]
    elif verifier == "random":
        right = rng.random(answers.shape) < 0.5
    else:
        votes = (answers[..., :, None] == answers[..., None, :]).sum(axis=-1)
        right = votes == votes.max(axis=-1, keepdims=True)
    return np.asarray(right ^ (rng.random(answers.shape) < noise), float)


def quantised(scores: Floats, bits: int) -> Floats:
    """Logits rounded to the nearest of ``2^bits`` levels between the least and the greatest of each row.

    >>> quantised(np.array([[0.0, 1.0, 9.0]]), 1).tolist()
    [[0.0, 0.0, 9.0]]
    """
    low, high = scores.min(axis=-1, keepdims=True), scores.max(axis=-1, keepdims=True)
    width = (high - low) / (2**bits - 1)
    return np.asarray(low + width * np.rint((scores - low) / width))


def _log(
    run: SimulatedRun, step: int, prompts: Prompts, scores: Tensor, answers: Ints, rewards: Floats | None,
    weight: Floats | None = None, split: str = "train",
) -> None:  # fmt: skip
    """Rollouts, or labels, of one step: arrays have the shape [seeds, prompts, k]."""
    run.step(
        step, answers=answers, rewards=rewards, advantages=weight, targets=prompts.targets, prompts=prompts.ids,
        target_surprisal=surprisal(scores, prompts.targets), split=split, tokens=1, prompt_tokens=TOKENS - 1,
    )  # fmt: skip
