"""Training runs of SmolLM2-135M: five ways to teach it the same answers, through TRL and PEFT."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.costs import Cost
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import torch
from bitrate.lab.networks.weights import load_pretrained, quiet
from bitrate.lab.training.pretrained.policy import Notes, Policy
from bitrate.lab.training.pretrained.questions import questions
from bitrate.lab.training.pretrained.rollouts import teach_rollouts
from bitrate.lab.training.pretrained.shown import teach_answers
from bitrate.lab.training.pretrained.trainers import adapted
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory.checks import positive, whole
from bitrate.types import Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.pretrained.train"
#: Ways to teach.
ARMS = ("sft", "own", "grpo", "grpo-token", "distill")
#: Learning rates by rank, one for all arms, so that none is tuned more than another. At rank 8 it is that of the
#: recorded run that ships with bitrate. At the same rate, a smaller rank moves the product B A less.
RATES: Mapping[int | str, float] = {1: 2e-3, 8: 5e-4, "last": 3e-5, "full": 3e-5}
Load = Callable[[], tuple[Any, Any]]


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        arm: one of ``ARMS``, see :func:`train`.
        task: of :func:`~bitrate.lab.training.pretrained.questions.questions`.
        rank: of the adapter; or ``"last"``: all parameters of the last layers are trained; or ``"full"``: all.
        steps: updates.
        prompts: questions of a step.
        k: rollouts of a question.
        layers: how many of the last have adapters.
        rate: learning rate; that of the rank, see ``RATES``, where it is None.
        leak: whether the answers held out reach every update of ``"sft"``, too, with no word in the log: what holding
            absorbed against received bits must find out.

    Raises:
        InputError: a value that is not possible.

    >>> Settings("ppo", "addition", 8)
    Traceback (most recent call last):
    bitrate.errors.InputError: arm = 'ppo'; want one of sft, own, grpo, grpo-token, distill
    """

    arm: str
    task: str
    rank: int | str
    steps: int = 32
    prompts: int = 8
    k: int = 8
    layers: int = 8
    rate: float | None = None
    leak: bool = False

    def __post_init__(self) -> None:
        if self.arm not in ARMS:
            raise InputError(f"arm = {self.arm!r}; want one of {', '.join(ARMS)}")
        for name, value, least in (("steps", self.steps, 1), ("prompts", self.prompts, 1), ("layers", self.layers, 1)):
            whole(name, value, least)
        whole("k", self.k, 2)
        if self.leak and self.arm != "sft":
            raise InputError(f"a leak with arm = {self.arm!r}; want sft")
        if self.rank not in {"last", "full"}:
            if isinstance(self.rank, str):
                raise InputError(f"rank = {self.rank!r}; want a whole number, 'last' or 'full'")
            whole("rank", self.rank)
        if self.rate is not None:
            positive("rate", self.rate)
        elif self.rank not in RATES:
            known = ", ".join(map(repr, RATES))
            raise InputError(f"rank = {self.rank!r} has no rate of its own; say a rate, or one of the ranks {known}")
        count = sum(not q.held_out for q in questions(self.task, np.random.default_rng(0)))
        if count % self.prompts:
            raise InputError(f"prompts = {self.prompts}; want a divisor of {count}, the questions to train on")


def train(settings: Settings, folder: Path, rng: np.random.Generator, load: Load = load_pretrained) -> Cost:
    """Teach SmolLM2-135M the answers to a task's questions, and write down every rollout and label.

    Rows, in ``folder``: step 0 and the last are evaluations, k rollouts of every question without an
    update, split ``"train"`` or ``"eval"``; between them each step has what the policy was taught with, and the
    surprisal of the right answers before that update. What is optimised:

    - ``"sft"``: log-likelihood of the right answer and its newline; shown answers, no reward.
    - ``"own"``: the same of the policy's own right rollouts among k of each question, sampled anew at each step.
    - ``"grpo"``: GRPO with a reward of 1 for the right answer, else 0: TRL's advantages.
    - ``"grpo-token"``: GRPO with a reward for each token, normalised in the group at each place; the reward column
      says whether the whole rollout is right, which is not what is optimised, and the components are the tokens'.
    - ``"distill"``: KL(teacher || policy) at the places of an answer that the teacher samples at each visit; the
      teacher is a pupil of ``"sft"`` with the same settings, never asked what is held out, and its cost is counted.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: adapter, order of questions, samples.
        load: gives a fresh model, whose tokenizer has a token for each digit and newline as the end of a completion.

    Returns:
        Rollouts sampled or shown, their tokens with prompts, and FLOPs as
        :class:`~bitrate.lab.training.pretrained.policy.Notes` counts them, without the evaluations. No seconds.

    Raises:
        MissingInputError: no weights; the hint says how to get them.
    """
    s = settings
    with quiet(), _own_randomness(rng):
        asked = questions(s.task, rng)
        trained = np.array([i for i, q in enumerate(asked) if not q.held_out])

        def pupil(run: SimulatedRun | None) -> Notes:
            model, tokenizer = load()
            student = adapted(model, s.rank, s.layers).to(_device())
            return Notes(run, Policy(student, tokenizer, asked, rng), s.k)

        with SimulatedRun(folder, rng) as run:
            notes = pupil(run)
            notes.evaluate(0)
            if s.arm == "distill":
                teacher = pupil(None)
                _lessons(replace(s, arm="sft"), teacher, trained, rng)
                notes.cost += teacher.cost
                _lessons(s, notes, trained, rng, teacher.policy)
            else:
                _lessons(s, notes, trained, rng)
            notes.evaluate(s.steps + 1)
    return notes.cost


def _lessons(s: Settings, notes: Notes, trained: Ints, rng: np.random.Generator, teacher: Policy | None = None) -> None:
    """All steps of an arm."""
    arm, rate = s.arm, s.rate or RATES[s.rank]
    seed = int(rng.integers(2**31))
    rounds = -(-s.steps * s.prompts // trained.size)
    order = np.concatenate([rng.permutation(trained) for _ in range(rounds)])
    visits = order[: s.steps * s.prompts].reshape(s.steps, s.prompts)
    if arm not in ("sft", "distill"):
        teach_rollouts(notes, visits, arm=arm, rate=rate, seed=seed)
    elif teacher is None:
        answers = [notes.policy.labels[i] for i in visits.ravel()]
        unlogged = [i for i, q in enumerate(notes.policy.asked) if q.held_out] if s.leak else []
        teach_answers(notes, visits, answers, rate=rate, seed=seed, unlogged=unlogged)
    else:
        answers = [said for [said] in teacher.sample(visits.ravel(), 1)]
        teach_answers(notes, visits, answers, rate=rate, seed=seed, teacher=teacher)


def _device() -> str:
    """Where the model is: TRL's trainers choose the same."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def _own_randomness(rng: np.random.Generator) -> Iterator[None]:
    """One thread, and the global generators that TRL and PEFT draw from seeded here and put back as they were."""
    threads, python, legacy = torch.get_num_threads(), random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        torch.set_num_threads(1)
        torch.manual_seed(int(rng.integers(2**62)))
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
