"""Teaching by answers that are shown, through ``trl.SFTTrainer``: right answers, or a teacher's distributions."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bitrate.lab.networks.lazy import torch
from bitrate.lab.training.pretrained.policy import Notes, Policy, Tokens
from bitrate.lab.training.pretrained.trainers import log_chances, options, run_silently
from bitrate.types import Ints


def teach_answers(
    notes: Notes, visits: Ints, answers: list[Tokens], *, rate: float, seed: int, teacher: Policy | None = None,
    unlogged: Sequence[int] = (),
) -> None:  # fmt: skip
    """Supervised fine-tuning on the tokens of answers, each step's questions in the order given.

    Without a teacher the loss is the mean of ``-log pi(token)`` over the answers' tokens, the closing newline with
    them. With one it is the mean of ``KL(teacher || policy)`` over the same places; its sum over an answer is logged
    in bits as the component ``teacher_bits``, for the policy as it is before the update.

    Args:
        notes: where the answers shown are written down.
        visits: numbers of questions, shape [steps, questions a step].
        answers: one a visit, in that order.
        rate: learning rate.
        seed: of TRL; nothing that is drawn from it matters.
        teacher: whose distributions are matched.
        unlogged: numbers of questions whose right answers are taught in every step, too, and not written down.

    Reference: Kim and Rush (2016), Sequence-level knowledge distillation, section 2.2.
    """
    from datasets import Dataset

    trl: Any = import_module("trl")
    policy = notes.policy
    prompts, hidden = policy.prompts.tolist(), [-100] * policy.prompt_tokens
    leak, spoken, rows = [(i, policy.labels[i]) for i in unlogged], iter(answers), []
    for shown in visits:
        taught = [(i, next(spoken)) for i in shown] + leak
        rows += [{"input_ids": prompts[i] + said, "labels": hidden + said} for i, said in taught]
    with TemporaryDirectory() as folder:
        config = trl.SFTConfig(
            **options(folder, steps=len(visits), batch=visits.shape[1] + len(leak), rate=rate, seed=seed),
            train_sampling_strategy="sequential",
            dataset_kwargs={"skip_prepare_dataset": True},
            max_length=None,
        )
        trainer = _trainer(notes, visits, answers, teacher)
        data = Dataset.from_list(rows)
        run_silently(trainer(policy.model, config, train_dataset=data, processing_class=policy.tokenizer))


def _trainer(notes: Notes, visits: Ints, answers: list[Tokens], teacher: Policy | None) -> Any:
    """TRL's trainer, which writes down what is shown in a step, and may match a teacher."""
    trl: Any = import_module("trl")
    policy, size = notes.policy, visits.shape[1]

    class Shown(trl.SFTTrainer):  # type: ignore[misc]
        """One step is one batch, without accumulation."""

        def training_step(self, *args: Any, **kwargs: Any) -> Any:
            step, self.parts = self.state.global_step, dict[str, Any]()
            which, said = visits[step], answers[step * size : (step + 1) * size]
            surprisal = notes.surprisal(which)
            loss = super().training_step(*args, **kwargs)
            notes.shown(step + 1, which, said, surprisal, **self.parts)
            seen = sum(policy.prompt_tokens + len(s) for s in said)
            # A teacher generates the answers, and scores them for its distributions.
            notes.paid(rollouts=size, seen=seen, forward=0 if teacher is None else 2 * seen, trained=seen)
            return loss

        def compute_loss(self, model: Any, inputs: Any, **kwargs: Any) -> Any:
            if teacher is None:
                return super().compute_loss(model, inputs, **kwargs)
            ids, mask = inputs["input_ids"], inputs["attention_mask"]
            taught = inputs["labels"][:, policy.prompt_tokens :] != -100
            ours = log_chances(model, ids, mask, taught.shape[1])
            with torch.no_grad():
                theirs = log_chances(teacher.model, ids, mask, taught.shape[1])
            apart = (theirs.exp() * (theirs - ours)).sum(-1) * taught
            bits = apart.detach().double().sum(1, keepdim=True).cpu().numpy() / np.log(2.0)
            self.parts = {"components": {"teacher_bits": bits}}
            return apart.sum() / taught.sum()

    return Shown
