"""Training runs of SmolLM2-135M: five ways to teach it the same answers, through TRL and PEFT."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.costs import Cost
from bitrate.errors import InputError
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
#: What a run does where its settings do not say otherwise. ``rate`` None: see RATES.
DEFAULTS: Mapping[str, Any] = {
    "task": "addition",
    "rank": 8,
    "steps": 32,
    "prompts": 8,
    "k": 8,
    "layers": 8,
    "rate": None,
}
#: Ways to teach.
ARMS = ("sft", "own", "grpo", "grpo-token", "distill")
#: Learning rates by rank, one for all arms, so that none is tuned more than another. At rank 8 it is that of the
#: recorded run that ships with bitrate. At the same rate, a smaller rank moves the product B A less.
RATES: Mapping[int | str, float] = {1: 2e-3, 8: 5e-4, "full": 3e-5}
Load = Callable[[], tuple[Any, Any]]


def train(settings: Mapping[str, Any], folder: Path, rng: np.random.Generator) -> Cost:
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
        settings: ``arm``, one of the above, and where not as in DEFAULTS ``task``, ``rank`` of the adapter or
            ``"full"``, ``steps``, ``prompts`` a step, ``k``, ``layers`` that have adapters, ``rate``.
        folder: where the log goes.
        rng: adapter, order of questions, samples.

    Returns:
        Rollouts sampled or shown, their tokens with prompts, and FLOPs as
        :class:`~bitrate.lab.training.pretrained.policy.Notes` counts them, without the evaluations. No seconds.

    Raises:
        InputError: a setting that is not one of these, or its value not possible.
        MissingInputError: no weights; the hint says how to get them.

    >>> train({"arm": "ppo"}, Path("."), np.random.default_rng(0))
    Traceback (most recent call last):
    bitrate.errors.InputError: arm = 'ppo'; want one of sft, own, grpo, grpo-token, distill
    """
    return teach(settings, folder, rng, load_pretrained)


def teach(settings: Mapping[str, Any], folder: Path, rng: np.random.Generator, load: Load) -> Cost:
    """As :func:`train`, with any model whose tokenizer has a token for each digit.

    Args:
        settings: as there.
        folder: as there.
        rng: as there.
        load: gives a fresh model and its tokenizer, with newline as the end of a completion.
    """
    chosen = _checked(settings)
    with quiet(), _own_randomness(rng):
        asked = questions(chosen["task"])
        trained = np.array([i for i, q in enumerate(asked) if not q.held_out])

        def pupil(run: SimulatedRun | None) -> Notes:
            model, tokenizer = load()
            student = adapted(model, chosen["rank"], chosen["layers"]).to(_device())
            return Notes(run, Policy(student, tokenizer, asked, rng), chosen["k"])

        with SimulatedRun(folder, rng) as run:
            notes = pupil(run)
            notes.evaluate(0)
            if chosen["arm"] == "distill":
                teacher = pupil(None)
                _lessons({**chosen, "arm": "sft"}, teacher, trained, rng)
                notes.cost += teacher.cost
                _lessons(chosen, notes, trained, rng, teacher.policy)
            else:
                _lessons(chosen, notes, trained, rng)
            notes.evaluate(chosen["steps"] + 1)
    return notes.cost


def _lessons(
    chosen: Mapping[str, Any], notes: Notes, trained: Ints, rng: np.random.Generator, teacher: Policy | None = None
) -> None:
    """All steps of an arm."""
    arm, rate = chosen["arm"], chosen["rate"] or RATES[chosen["rank"]]
    seed = int(rng.integers(2**31))
    rounds = -(-chosen["steps"] * chosen["prompts"] // trained.size)
    order = np.concatenate([rng.permutation(trained) for _ in range(rounds)])
    visits = order[: chosen["steps"] * chosen["prompts"]].reshape(chosen["steps"], chosen["prompts"])
    if arm not in ("sft", "distill"):
        teach_rollouts(notes, visits, arm=arm, rate=rate, seed=seed)
    elif teacher is None:
        answers = [notes.policy.labels[i] for i in visits.ravel()]
        teach_answers(notes, visits, answers, rate=rate, seed=seed)
    else:
        answers = [said for [said] in teacher.sample(visits.ravel(), 1)]
        teach_answers(notes, visits, answers, rate=rate, seed=seed, teacher=teacher)


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the defaults filled in."""
    unknown = sorted(set(settings) - set(DEFAULTS) - {"arm"})
    if unknown:
        raise InputError(f"no setting {unknown[0]!r}; there are arm, {', '.join(DEFAULTS)}")
    chosen = {**DEFAULTS, **settings}
    if chosen.get("arm") not in ARMS:
        raise InputError(f"arm = {chosen.get('arm')!r}; want one of {', '.join(ARMS)}")
    for name, least in (("steps", 1), ("prompts", 1), ("k", 2), ("layers", 1)):
        whole(name, chosen[name], least)
    if chosen["rank"] != "full":
        if isinstance(chosen["rank"], str):
            raise InputError(f"rank = {chosen['rank']!r}; want a whole number, or 'full'")
        whole("rank", chosen["rank"])
    if chosen["rate"] is not None:
        positive("rate", chosen["rate"])
    elif chosen["rank"] not in RATES:
        known = ", ".join(map(repr, RATES))
        raise InputError(f"rank = {chosen['rank']!r} has no rate of its own; say a rate, or one of the ranks {known}")
    count = sum(not q.held_out for q in questions(chosen["task"]))
    if count % chosen["prompts"]:
        raise InputError(f"prompts = {chosen['prompts']}; want a divisor of {count}, the questions to train on")
    return chosen


def _device() -> str:
    """Where the model is: TRL's trainers choose the same."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def _own_randomness(rng: np.random.Generator) -> Iterator[None]:
    """One thread, and the global generators that TRL and PEFT draw from seeded here and put back as they were."""
    import torch

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
