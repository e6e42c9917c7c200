"""Teaching by the policy's own rollouts, through ``trl.GRPOTrainer``: GRPO, a reward a token, or successes only."""

from __future__ import annotations

from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bitrate.lab.networks.lazy import torch
from bitrate.lab.training.pretrained.policy import Notes, Tokens
from bitrate.lab.training.pretrained.trainers import log_chances, options, run_silently
from bitrate.types import Floats, Ints

#: Added to a group's standard deviation, as TRL does.
EPSILON = 1e-4


def teach_rollouts(notes: Notes, visits: Ints, *, arm: str, rate: float, seed: int) -> None:
    """Policy gradient on k rollouts of each question, sampled from the policy at each step; one update a sample.

    The loss is the mean of ``-A log pi(token)`` over the rollouts' tokens, without a KL term:

    - ``"grpo"``: A as TRL has it, ``(r - mean) / (std + 1e-4)`` of the question's k rollouts, the same at all tokens.
    - ``"grpo-token"``: A of each token from :func:`token_rewards` and :func:`group_normalised`. The token rewards are
      logged as components; there is no advantage column, which has one number a rollout.
    - ``"own"``: A is 1 for a right rollout, else 0, and the mean is over the tokens of the right ones: supervised
      fine-tuning on the policy's own successes. No advantage is logged: there is none.

    Args:
        notes: where rollouts are written down, with the surprisal of the policy that is about to be updated.
        visits: numbers of questions, shape [steps, questions a step].
        arm: as above.
        rate: learning rate.
        seed: of TRL; samples come from the policy's own generator.

    Reference: Shao et al. (2024), DeepSeekMath, section 4.1; Yu et al. (2025), DAPO, eq. 12 for the mean over tokens;
    with one update a sample the ratio is 1 and nothing is clipped.
    """
    from datasets import Dataset

    trl: Any = import_module("trl")
    policy, k = notes.policy, notes.k

    def right(completion_ids: list[Tokens], trainer_state: Any, **_: Any) -> list[float]:
        which = np.repeat(visits[trainer_state.global_step], k)
        return [float(r) for [r] in policy.right(which, [[s] for s in completion_ids])]

    with TemporaryDirectory() as folder:
        config = trl.GRPOConfig(
            **options(folder, steps=len(visits), batch=visits.shape[1] * k, rate=rate, seed=seed),
            num_generations=k,
            max_completion_length=policy.longest,
            steps_per_generation=1,
            shuffle_dataset=False,
            beta=0.0,
            loss_type="dapo",
            scale_rewards="group",
        )
        data = Dataset.from_list([{"prompt": policy.asked[i].prompt} for i in visits.ravel().tolist()])
        trainer = _trainer(notes, visits, arm)
        run_silently(trainer(policy.model, right, config, data, processing_class=policy.tokenizer))


def _trainer(notes: Notes, visits: Ints, arm: str) -> Any:
    """TRL's trainer with our sampler and each arm's advantages, which does not compute the same thing twice."""
    trl: Any = import_module("trl")
    policy, k = notes.policy, notes.k

    class Rollouts(trl.GRPOTrainer):  # type: ignore[misc]
        """One step is one sample and one update."""

        def _generate_single_turn(self, *_: Any, **__: Any) -> tuple[list[Tokens], None]:
            self.said = policy.sample(visits[self.state.global_step], k)
            return [s for row in self.said for s in row], None

        def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
            batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
            step = self.state.global_step
            weights = batch["advantages"].double().cpu().numpy().reshape(-1, k)
            new, trained = _weighed(notes, step + 1, visits[step], self.said, weights, arm)
            if new is not None:
                width = batch["completion_ids"].shape[1]
                flat = torch.from_numpy(new[..., :width]).to(batch["advantages"])
                batch["advantages"] = flat.flatten(0, 1)
            batch["num_items_in_batch"] = torch.tensor(trained, device=policy.model.device)
            return batch

        def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
            # A rollout without an advantage has no gradient and is not scored; the mean counts its tokens all the same.
            weights = inputs["advantages"].abs()
            moves = (weights if weights.ndim == 1 else weights.sum(1)) > 0
            moves[0] |= not moves.any()
            return super()._compute_loss(model, {n: v[moves] if v.ndim else v for n, v in inputs.items()})

        def _get_per_token_logps_and_entropies(
            self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, *_: Any, **__: Any
        ) -> tuple[Any, Any, None]:
            # Equal rollouts are scored once, and only where there is a completion.
            rows, where = torch.unique(torch.cat([input_ids, attention_mask], 1), dim=0, return_inverse=True)
            ids, mask = rows.chunk(2, dim=1)
            logs = log_chances(model, ids, mask, logits_to_keep)
            chosen = logs.gather(-1, ids[:, -logits_to_keep:, None])[..., 0]
            entropy = -(logs.detach().exp() * logs.detach()).sum(-1)
            return chosen[where], entropy[where], None

    return Rollouts


def _weighed(
    notes: Notes, step: int, which: Ints, said: list[list[Tokens]], weights: Floats, arm: str
) -> tuple[Floats | None, int]:
    """Write down rollouts and their cost; an arm's own advantages, [questions, k, places], and tokens trained on."""
    policy, new = notes.policy, None
    lengths = np.array([[len(s) for s in row] for row in said])
    kept = np.ones(lengths.shape, bool)
    if arm == "own":
        rewards = policy.right(which, said)
        kept, new = rewards > 0, np.repeat(rewards[..., None], policy.longest, axis=2)
        notes.rollouts(step, which, said)
    elif arm == "grpo-token":
        marks = token_rewards([policy.labels[i] for i in which], said, policy.longest)
        new = group_normalised(marks)
        _write_tokens(notes, step, which, said, marks)
    else:
        notes.rollouts(step, which, said, advantages=weights)
    whole = lengths + policy.prompt_tokens
    seen = int(whole.sum())
    notes.paid(rollouts=lengths.size, seen=seen, forward=seen, trained=int(whole[kept].sum()))
    return new, int(lengths[kept].sum())


def token_rewards(labels: list[Tokens], said: list[list[Tokens]], places: int) -> Floats:
    """1 where a rollout has the right answer's token at that place, else 0, also where either has ended.

    Args:
        labels: tokens of each question's right answer, shape [questions].
        said: tokens of rollouts, shape [questions][k].
        places: most tokens of a rollout.

    Returns:
        Shape [questions, k, places].

    >>> token_rewards([[1, 2, 0]], [[[1, 2, 0], [2, 2, 0], [1, 0]]], 3)[0].tolist()
    [[1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    marks = np.zeros((len(said), len(said[0]), places))
    for label, row, mark in zip(labels, said, marks, strict=True):
        for tokens, hits in zip(row, mark, strict=True):
            hits[: min(len(label), len(tokens))] = [a == b for a, b in zip(label, tokens, strict=False)]
    return marks


def group_normalised(rewards: Floats) -> Floats:
    """``(r - mean) / (std + 1e-4)`` over a group's k rollouts, at each place; std with k - 1, as TRL has it.

    Args:
        rewards: shape [questions, k, places].

    Reference: Shao et al. (2024), DeepSeekMath, section 4.1.3, with the group taken at one place.

    >>> group_normalised(np.array([[[1.0, 1.0], [0.0, 1.0]]])).round(3).tolist()
    [[[0.707, 0.0], [-0.707, 0.0]]]
    """
    centred = rewards - rewards.mean(axis=1, keepdims=True)
    return np.asarray(centred / (rewards.std(axis=1, ddof=1, keepdims=True) + EPSILON))


def _write_tokens(notes: Notes, step: int, which: Ints, said: list[list[Tokens]], marks: Floats) -> None:
    """Rows with a component for each token of the right answer: questions with answers of one length at a time."""
    lengths = np.array([len(notes.policy.labels[i]) for i in which])
    for length in np.unique(lengths):
        here = np.flatnonzero(lengths == length)
        parts = {f"token_{t + 1}": marks[here, :, t] for t in range(length)}
        notes.rollouts(step, which[here], [said[i] for i in here], components=parts)
