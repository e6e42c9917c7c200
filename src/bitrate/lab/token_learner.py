"""Sequences of tokens: a policy with a softmax at every position, taught by a score a token or by one at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from bitrate.errors import InputError
from bitrate.lab.learners import Baseline, advantages, ascend, sample
from bitrate.lab.runs import Run
from bitrate.types import Floats

#: Sequences are logged as one number, so there are no more of them than an integer holds.
MOST_SEQUENCES = 1 << 62


def train_tokens(
    folder: Path,
    *,
    rng: np.random.Generator,
    worlds: int,
    alphabet: int,
    length: int,
    steps: int,
    k: int = 8,
    feedback: str = "tokens",
    method: Baseline = "grpo",
    rate: float = 1.0,
) -> Floats:
    """Train one policy a world towards a hidden sequence of tokens, and log every rollout.

    Args:
        folder: where the log goes.
        rng: all randomness.
        worlds: independent copies, one prompt of the log each.
        alphabet: tokens to choose from at each position.
        length: tokens of a sequence.
        steps: updates.
        k: rollouts a step.
        feedback: ``"tokens"``: each position has an advantage from its own scores, logged as components;
            ``"sequence"``: one score, right where every token is, for all positions.
        method: a baseline of :func:`bitrate.lab.learners.advantages`.
        rate: learning rate.

    Returns:
        Each world's chance to say the hidden sequence after training, shape [worlds]. No claim may use it.

    Raises:
        InputError: another feedback, or too many sequences.

    Reference: THEORY.md claims S1.4 and S1.13.
    """
    if feedback not in {"tokens", "sequence"}:
        raise InputError(f"feedback = {feedback!r}; want tokens or sequence")
    if alphabet**length > MOST_SEQUENCES:
        raise InputError(f"{alphabet}^{length} sequences; want at most 2^62")
    hidden = rng.integers(alphabet, size=(worlds, length))
    place = alphabet ** np.arange(length, dtype=np.int64)
    logits = np.zeros((length, worlds, alphabet))
    with Run(folder, rng) as run:
        for step in range(steps):
            said = np.stack([sample(np.exp(log_softmax(at, axis=1)), worlds, k, rng) for at in logits])
            right = np.asarray(said == hidden.T[:, :, None], float)
            whole = right.min(axis=0)
            parts = {f"token_{t}": right[t] for t in range(length)} if feedback == "tokens" else None
            each = right if feedback == "tokens" else np.broadcast_to(whole, right.shape)
            weights = [advantages(scores, method) for scores in each]
            run.step(
                step, answers=np.tensordot(place, said, 1), rewards=right.mean(axis=0) if parts else whole,
                targets=hidden @ place, components=parts, advantages=None if parts else weights[0], tokens=length,
            )  # fmt: skip
            logits = np.stack([ascend(at, a, w, rate) for at, a, w in zip(logits, said, weights, strict=True)])
    known = np.take_along_axis(log_softmax(logits, axis=2), hidden.T[:, :, None], axis=2)
    return np.asarray(np.exp(known.sum(axis=0))[:, 0])
