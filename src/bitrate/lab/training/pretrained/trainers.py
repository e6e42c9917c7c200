"""What every trainer of the pretrained model shares: adapters, options, log-probabilities."""

from __future__ import annotations

from typing import Any

from bitrate.lab.networks.lazy import torch

#: LoRA's scale is alpha / rank; this is the same at every rank.
SCALE = 2


def adapted(model: Any, rank: int | str, layers: int) -> Any:
    """The model with LoRA on every matrix of its last layers, ``W + 2 B A``, or with weights of its own to train.

    An adapter's B starts at 0, so it starts as the pretrained model.

    Args:
        model: pretrained.
        rank: of the adapter; or ``"last"``: all parameters of the last layers are trained; or ``"full"``: all that
            there are.
        layers: how many the last layers are.

    Reference: Hu et al. (2021), LoRA: low-rank adaptation of large language models, section 4.1.
    """
    if rank == "full":
        return model
    if rank == "last":
        model.requires_grad_(False)
        model.model.layers[-layers:].requires_grad_(True)
        return model
    from peft import LoraConfig, get_peft_model

    last = model.config.num_hidden_layers
    config = LoraConfig(
        r=int(rank),
        lora_alpha=SCALE * int(rank),
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        layers_to_transform=list(range(max(0, last - layers), last)),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def options(folder: str, *, steps: int, batch: int, rate: float, seed: int) -> dict[str, Any]:
    """What all trainers are told: AdamW at a constant rate without weight decay, gradients clipped at norm 1.

    Args:
        folder: TRL wants one; nothing is kept in it.
        steps: updates.
        batch: sequences a step.
        rate: learning rate.
        seed: of the global generators.
    """
    return {
        "output_dir": folder,
        "seed": seed,
        "max_steps": steps,
        "per_device_train_batch_size": batch,
        "learning_rate": rate,
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": False,
        "gradient_checkpointing": False,
        "logging_strategy": "no",
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
    }


def run_silently(trainer: Any) -> None:
    """Train, without the trainer's habit to print."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train()


def log_chances(model: Any, ids: Any, mask: Any, places: int) -> Any:
    """Natural logarithm of every token's probability at the last places, shape [rows, places, vocabulary]."""
    logits = model(input_ids=ids, attention_mask=mask, logits_to_keep=places + 1, use_cache=False).logits
    return logits[:, :-1].float().log_softmax(-1)
