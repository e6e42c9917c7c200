"""A simulated run's log: rollouts of many worlds, written as a trainer would write them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from bitrate.logs.recorder import Recorder

#: Share of rollouts for which the verifier gave no score, in every simulated log: real logs have such rows.
UNSCORED = 0.04
#: Rollouts that make a part: a run has thousands of quick steps, and one that is killed is simulated again anyway.
HELD = 1 << 20


class SimulatedRun:
    """Records the rollouts of a run; leaving the ``with`` block writes the last of them.

    Some rollouts the verifier never scored: they are logged beside the scored ones, with no reward and no advantage,
    as a trainer does that draws again after a time-out. They carry nothing, and must count for nothing.

    Args:
        folder: where the files go.
        rng: decides which rollouts were not scored, and what they said.
        unscored: their share.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SimulatedRun(Path(folder), np.random.default_rng(0)) as run:
    ...         run.step(0, answers=[[3, 1]], rewards=[[1.0, 0.0]], targets=[3])
    ...     sorted(p.name for p in Path(folder).glob("*.parquet"))
    ['rollouts-0-000000.parquet']
    """

    def __init__(self, folder: Path, rng: np.random.Generator, unscored: float = UNSCORED) -> None:
        self.folder, self.rng, self.unscored = folder, rng, unscored
        self.recorder = Recorder(folder, trainer="bitrate lab", rank=0, rows=HELD)

    def __enter__(self) -> SimulatedRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.recorder.close()

    def step(
        self,
        step: int,
        *,
        answers: ArrayLike,
        rewards: ArrayLike | None,
        targets: ArrayLike | None = None,
        advantages: ArrayLike | None = None,
        components: Mapping[str, ArrayLike] | None = None,
        prompts: ArrayLike | None = None,
        updates: ArrayLike | None = None,
        tokens: ArrayLike | None = None,
        prompt_tokens: int | None = None,
        runs: ArrayLike | None = None,
        split: str = "train",
        target_surprisal: ArrayLike | None = None,
    ) -> None:
        """Log one step's rollouts, or the labels that were shown in it.

        Args:
            step: number of the step.
            answers: final answers, numbers or texts, shape [worlds, k]; or [networks, prompts, k], where each network
                is a run and other arrays have these axes too.
            rewards: shape [worlds, k]; None where the answers are labels, shown to the policy and not sampled from it.
            targets: what each world hides, shape [worlds]: a gold answer as many logs keep it.
            advantages: as the trainer used them, shape [worlds, k]; None where no policy gradient was taken.
            components: name -> scores [worlds, k] that make up a reward: unit tests, tokens, steps.
            updates: fingerprint of the update that each world's rollouts made, shape [worlds], where one was taken.
            prompts: id of each world, shape [worlds]; its number, by default.
            tokens: completion tokens of every rollout, one number or shape [worlds, k].
            prompt_tokens: tokens of every prompt.
            runs: which run each world belongs to, shape [worlds]; where they are given, the log has several runs.
            split: ``"train"``, or ``"eval"`` for prompts that are held out.
            target_surprisal: bits, shape [worlds]: -log2 of the policy's probability of the target at this step.
        """
        said = np.asarray(answers)
        if said.ndim == 3 and runs is None:
            runs = np.repeat(np.arange(len(said)), said.shape[1])
        worlds, k = math.prod(said.shape[:-1]), said.shape[-1]
        shown = rewards is None
        lost = np.flatnonzero(self.rng.random(worlds * k) < self.unscored) if not shown else np.zeros(0, np.int64)
        # A rollout without a score says anything that was said in this step, not what its neighbour said.
        heard = self.rng.permutation(worlds * k)[: lost.size]
        which = np.concatenate([np.arange(worlds * k), heard])
        world = np.concatenate([np.repeat(np.arange(worlds), k), lost // k])
        unscored = np.arange(which.size) >= worlds * k

        def where_scored(values: ArrayLike) -> pa.Array:
            return pa.array(np.asarray(values, float).ravel()[which], mask=unscored)

        ids = np.arange(worlds) if prompts is None else np.asarray(prompts).ravel()
        batch: dict[str, Any] = {
            "prompt_id": _text(ids)[world],
            "sample": np.concatenate([np.tile(np.arange(k), worlds), k + np.arange(lost.size)]),
            "answer": _text(said.ravel())[which],
            "reward": pa.nulls(which.size, pa.float64()) if rewards is None else where_scored(rewards),
        }
        if runs is not None:
            batch["run"] = np.array([f"{self.folder.name}/{r}" for r in np.asarray(runs)])[world]
            batch |= {"split": np.full(which.size, split), "shown": np.full(which.size, shown)}
            batch["target_surprisal"] = pa.nulls(which.size, pa.float64())
        if target_surprisal is not None:
            batch["target_surprisal"] = np.asarray(target_surprisal, float).ravel()[world]
        if targets is not None:
            batch["target"] = _text(np.asarray(targets).ravel())[world]
        if advantages is not None:
            batch["advantage"] = where_scored(advantages)
        if components is not None:
            batch["components"] = _components(components, which, worlds * k)
        if updates is not None:
            batch["update"] = _text(np.asarray(updates))[world]
        if tokens is not None:
            batch["completion_tokens"] = np.broadcast_to(np.asarray(tokens, np.int64), said.shape).ravel()[which]
        if prompt_tokens is not None:
            batch["prompt_tokens"] = np.full(which.size, prompt_tokens)
        self.recorder.record(step, **batch)


def _text(values: NDArray[Any]) -> NDArray[Any]:
    """Ids and answers as logs have them."""
    return values.astype(str) if values.dtype.kind != "O" else values


def _components(parts: Mapping[str, ArrayLike], which: NDArray[np.int64], scored: int) -> pa.Array:
    """A map of scores for each rollout; none for those that were not scored."""
    columns = np.stack([np.asarray(v, float).ravel() for v in parts.values()], axis=1)
    offsets = np.concatenate([np.arange(scored + 1), np.full(which.size - scored, scored)]) * len(parts)
    keys = pa.array(np.tile(np.array(list(parts)), scored))
    return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, pa.array(columns.ravel()))


def chunks(total: int, size: int) -> Iterator[int]:
    """Sizes of batches that sum to a total: worlds too many for one array are simulated one batch after the other."""
    while total > 0:
        yield min(size, total)
        total -= size
