"""A language model that answers questions: samples, the surprisal of the right answer, and the rows that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import torch
from bitrate.lab.training.pretrained.questions import Question
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

Tokens = list[int]
#: Questions that are put to the model at a time.
BATCH = 8


class Policy:
    """A model with its tokenizer and the questions it is asked.

    The right answer of a question is one sequence of tokens: the answer and the newline that closes it. A rollout is
    right if it is that sequence, token by token; so the chance of a reward is the probability that
    :meth:`surprisal` takes the logarithm of.

    Args:
        model: a causal language model.
        tokenizer: newline ends a completion.
        asked: questions.
        rng: samples come from it.

    Raises:
        InputError: prompts of different lengths in tokens.
    """

    def __init__(self, model: Any, tokenizer: Any, asked: Sequence[Question], rng: np.random.Generator) -> None:
        self.model, self.tokenizer, self.asked, self.newline = model, tokenizer, asked, int(tokenizer.eos_token_id)
        prompts = [tokenizer.encode(q.prompt, add_special_tokens=False) for q in asked]
        lengths = sorted({len(p) for p in prompts})
        if len(lengths) != 1:
            raise InputError(f"prompts have {lengths} tokens; want one length", hint="is every digit a token?")
        self.prompt_tokens = lengths[0]
        self.prompts = torch.tensor(prompts, device=model.device)
        self.labels = [[*tokenizer.encode(q.answer, add_special_tokens=False), self.newline] for q in asked]
        #: A rollout is cut off after so many tokens: a longer one is wrong anyway.
        self.longest = max(map(len, self.labels))
        self.draws = torch.Generator(device=model.device).manual_seed(int(rng.integers(2**62)))

    def sample(self, which: ArrayLike, k: int) -> list[list[Tokens]]:
        """k completions of each question, T = 1, up to the newline or the most tokens; shape [questions][k].

        The prompt is read once for its k completions.
        """
        said: list[list[Tokens]] = []
        with torch.no_grad():
            for some in _batches(which):
                out = self.model(input_ids=self.prompts[some], use_cache=True, logits_to_keep=1)
                out.past_key_values.batch_repeat_interleave(k)
                logits, drawn = out.logits[:, -1].repeat_interleave(k, dim=0), []
                while True:
                    chances = torch.softmax(logits.float(), dim=-1)
                    drawn.append(torch.multinomial(chances, 1, generator=self.draws))
                    if len(drawn) == self.longest:
                        break
                    out = self.model(input_ids=drawn[-1], past_key_values=out.past_key_values, use_cache=True)
                    logits = out.logits[:, -1]
                ends = [self._ended(row) for row in torch.cat(drawn, dim=1).tolist()]
                said += [ends[i : i + k] for i in range(0, len(ends), k)]
        return said

    def surprisal(self, which: ArrayLike) -> Floats:
        """``-log2 pi(right answer, newline | prompt)``, the sum over its tokens, in bits, shape [questions]."""
        found: list[float] = []
        with torch.no_grad():
            for some in _batches(which):
                labels = [self.labels[i] for i in some]
                chosen = self.log_probabilities(self.prompts[some], labels)
                found += [-float(row[: len(label)].sum()) for row, label in zip(chosen, labels, strict=True)]
        return np.asarray(np.array(found) / np.log(2.0))

    def log_probabilities(self, prompts: Any, completions: Sequence[Tokens]) -> Any:
        """Natural logarithm of each token's probability, teacher-forced, shape [rows, most tokens]; 0 past the end."""
        width = max(map(len, completions))
        filled = torch.tensor([c + [self.newline] * (width - len(c)) for c in completions], device=prompts.device)
        there = torch.tensor([[j < len(c) for j in range(width)] for c in completions], device=prompts.device)
        # What stands right of a completion is not seen from it: the attention is causal.
        logits = self.model(input_ids=torch.cat([prompts, filled], dim=1), logits_to_keep=width + 1).logits[:, :-1]
        chosen = torch.log_softmax(logits.double(), dim=-1).gather(-1, filled[..., None])[..., 0]
        return chosen * there

    def right(self, which: ArrayLike, said: Sequence[Sequence[Tokens]]) -> Floats:
        """1 where a rollout is the right answer, else 0, shape [questions, k]."""
        return np.array(
            [[float(s == self.labels[i]) for s in row] for i, row in zip(np.asarray(which), said, strict=True)]
        )

    def texts(self, said: Sequence[Sequence[Tokens]]) -> NDArray[np.str_]:
        """Completions without the newline that ends them, shape [questions, k]."""
        return np.array(
            [[self.tokenizer.decode([t for t in s if t != self.newline]) for s in row] for row in said], dtype=np.str_
        )

    def _ended(self, tokens: Tokens) -> Tokens:
        """Up to the first newline, and with it."""
        return tokens[: tokens.index(self.newline) + 1] if self.newline in tokens else tokens


@dataclass
class Notes:
    """What a training run writes down: rows of rollouts and labels, and what they cost.

    Costs are those of the training: evaluations and the surprisals in the rows are our measurement, and free.
    FLOPs are 2 a parameter and token that is generated or scored, 6 a parameter and token that is trained on, prompts
    with them. Parameters are all that take part in the forward pass, frozen ones too. What is saved by reading a
    prompt once for its k rollouts, or by not going back through frozen layers, is not taken off.

    Args:
        run: the log; None for a pupil of whom only the cost is kept.
        policy: who answers.
        k: rollouts a question in an evaluation.
    """

    run: SimulatedRun | None
    policy: Policy
    k: int
    cost: Cost = field(default_factory=Cost)

    def surprisal(self, which: Ints) -> Floats | None:
        """Of the right answers, for :meth:`shown`; None where nothing is logged."""
        return self.policy.surprisal(which) if self.run else None

    def evaluate(self, step: int) -> None:
        """Ask every question k times, without an update."""
        asked = self.policy.asked
        for split, held_out in (("train", False), ("eval", True)):
            which = np.array([i for i, q in enumerate(asked) if q.held_out == held_out])
            self.rollouts(step, which, self.policy.sample(which, self.k), split=split)

    def rollouts(
        self, step: int, which: Ints, said: Sequence[Sequence[Tokens]], split: str = "train", **columns: Any
    ) -> None:
        """Write down sampled rollouts, with a reward of 1 for a right answer, else 0."""
        self._write(step, which, said, rewards=self.policy.right(which, said), split=split, **columns)

    def shown(self, step: int, which: Ints, said: Sequence[Tokens], surprisal: Floats | None, **columns: Any) -> None:
        """Write down answers that are shown to the policy, and not its own."""
        self._write(step, which, [[s] for s in said], rewards=None, target_surprisal=surprisal, **columns)

    def paid(self, *, rollouts: int = 0, seen: int = 0, forward: int = 0, trained: int = 0) -> None:
        """Add to the cost.

        Args:
            rollouts: answers sampled or shown.
            seen: tokens of these, prompts with them, each counted once.
            forward: of these, tokens generated or scored, as often as they are.
            trained: of these, tokens trained on.
        """
        parameters = sum(p.numel() for p in self.policy.model.parameters())
        self.cost += Cost(rollouts, seen, flops(parameters, forward=forward, trained=trained))

    def _write(self, step: int, which: Ints, said: Sequence[Sequence[Tokens]], **columns: Any) -> None:
        if self.run is None:
            return
        asked = [self.policy.asked[i] for i in which]
        row: Mapping[str, Any] = {"target_surprisal": None, **columns}
        if row["target_surprisal"] is None:
            row = {**row, "target_surprisal": self.policy.surprisal(which)}
        self.run.step(
            step,
            answers=self.policy.texts(said),
            targets=[q.answer for q in asked],
            prompts=[q.id for q in asked],
            runs=np.zeros(len(which), int),
            tokens=[[len(s) for s in row] for row in said],
            prompt_tokens=self.policy.prompt_tokens,
            **row,
        )


def _batches(which: ArrayLike) -> list[list[int]]:
    """Numbers of questions, a few at a time."""
    numbers = [int(i) for i in np.asarray(which)]
    return [numbers[i : i + BATCH] for i in range(0, len(numbers), BATCH)]
