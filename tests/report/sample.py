"""Audits to render: a simulated run, one with figures missing, and one whose log is full of hostile text."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from bitrate.types import Estimate
from bitrate.wording import percent

K, VISITS = 8, 10
GROUP_SIZES = (2, 4, 8, 16, 32, 64)
HOSTILE = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=2</script>",
    "<img src=x onerror=window.pwned=3>",
    "\"'><svg onload=window.pwned=4>",
    "{{7*7}}{% raw %}${7*7}",
    "line\u2028separator\u2029here",
    "<!--<script>",
    "[red]markup[/red] [link=http://x.invalid]y[/link]",
    "\x1b]0;title\x07\x1b[31mred\x9b2J",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd",
    "javascript:window.pwned=5",
    "unbroken" * 60,
    "lone \ud800 surrogate",
)


def about(name: str, values: np.ndarray, unit: str, method: str = "mean over prompts, normal interval") -> Estimate:
    """Mean of one value a prompt, with a normal interval kept inside the values' own range."""
    mean, reach = float(values.mean()), 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    low, high = max(mean - reach, float(values.min())), min(mean + reach, float(values.max()))
    return Estimate(name, mean, min(low, mean), max(high, mean), unit, 0.95, len(values), method)


def entropy(p: np.ndarray) -> np.ndarray:
    """Binary entropy in bits of probabilities strictly inside (0, 1)."""
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def sample_audit(prompts: int = 240, seed: int = 7) -> dict[str, Any]:
    """The audit of a simulated run: pass rates drift up by a logit step each visit, K rollouts a visit."""
    rng = np.random.default_rng(seed)
    start = rng.normal(-0.6, 2.0, prompts)
    p = 1 / (1 + np.exp(-(start[:, None] + np.linspace(0, 1.6, VISITS))))
    right = rng.binomial(K, p)
    tokens = rng.integers(180, 900, size=right.shape)
    h = entropy(p)
    dead_bits = _dead_bits(p, K)
    classes = {"mixed": (right > 0) & (right < K), "all_right": right == K, "all_wrong": right == 0}
    classes["constant"] = ~classes["mixed"]
    ledger = {
        "capacity_bits": Estimate.exact(
            "capacity per rollout", 1, "bits/rollout", right.size * K, "log2 2, a right-or-wrong score"
        ),
        "outcome_bits": about("outcome bits per rollout", h.mean(1), "bits/rollout", "minimax linear, by prompt"),
        "answer_bound_bits": Estimate.missing(
            "answer bound per rollout", "bits/rollout", "final answers are not in these files"
        ),
        "update_bits": about(
            "update bits per rollout", (h - dead_bits).mean(1), "bits/rollout", "minimax linear, by prompt"
        ),
        "key_bits": about("key bits per prompt", -np.log2(p[:, 0]), "bits/prompt", "log2(1/p0) at the first success"),
        "absorbed_bits": about(
            "absorbed bits per prompt", np.log2(p[:, -1] / p[:, 0]), "bits/prompt", "bootstrap over prompts"
        ),
        "generalised_bits": about(
            "generalised bits per prompt", 0.4 * np.log2(p[:, -1] / p[:, 0]), "bits/prompt", "prequential"
        ),
    }
    each = float(tokens.mean())
    outcome = ledger["outcome_bits"]
    small = "the price is not in the log; say --price-per-hour 2.5 --flops-per-second 4e14"
    audit = {
        "run": "add_two_digits_grpo",
        "format": "trl",
        "split": "train",
        "split_known": True,
        "bitrate": "0.1.0",
        "counts": {
            key: Estimate.exact(key, n, key, n)
            for key, n in {
                "rollouts": right.size * K,
                "groups": right.size,
                "prompts": prompts,
                "steps": VISITS * 4,
            }.items()
        },
        "ledger": ledger,
        "groups": {
            k: about(f"{k.replace('_', '-')} groups", c.mean(1), "share of groups", "counted, by prompt")
            for k, c in classes.items()
        },
        "spent": {
            k: {
                "rollouts": Estimate.exact(f"rollouts in {k} groups", c.sum() * K, "rollouts", int(c.sum() * K)),
                "tokens": Estimate.exact(f"tokens in {k} groups", tokens[c].sum() * K, "tokens", int(c.sum() * K)),
                "flops": Estimate.missing(
                    f"FLOPs in {k} groups", "FLOPs", "the model's size is not in the log; say --model-params 1.5e9"
                ),
            }
            for k, c in classes.items()
        },
        "cost": {
            "bits_per_kilotoken": outcome.scaled(
                1000 / each, "bits per thousand tokens", "bits/kilotoken", "completion tokens"
            ),
            "bits_per_pflop": outcome.scaled(1e15 / (8 * 1.5e9 * each), "bits per PFLOP", "bits/PFLOP"),
            "bits_per_dollar": Estimate.missing("bits per dollar", "bits/dollar", small),
        },
        "k_advice": [_advice(p, k, each) for k in GROUP_SIZES],
        "own_k": Estimate.exact("rollouts per group", K, "rollouts/group", right.size, "each group"),
        "constant_at": [],
        "prompts": {
            "mastered": about(
                "prompts mastered by their last visit, p >= 0.95", (p[:, -1] > 0.95).astype(float), "share of prompts"
            ),
            "hopeless": about(
                "prompts hopeless at their last visit, p <= 0.05", (p[:, -1] < 0.05).astype(float), "share of prompts"
            ),
            "never_learn": Estimate.missing(
                "prompts that never learn", "share of prompts", "too few prompts were visited 20 times"
            ),
        },
        "change": {
            "pass_rate_first": about("pass rate at first visits", p[:, 0], "share of rollouts"),
            "pass_rate_last": about("pass rate at last visits", p[:, -1], "share of rollouts"),
            "pass_rate_change": about("change of the pass rate", p[:, -1] - p[:, 0], "share of rollouts"),
            "outcome_bits_change": about("change of outcome bits", h[:, -1] - h[:, 0], "bits/rollout"),
        },
        "advice": [],
        "caveats": [
            "The prompts' ids are hashes of their text: two prompts with the same text count as one.",
            "The trainer may have dropped constant groups before writing: bits per rollout are overstated then.",
        ],
        "caveats_on_figures": 0,
        "quarantine": [
            {
                "reason": "the reward is null",
                "count": 3,
                "unit": "rows",
                "where": ["completions_00012.parquet:12", "completions_00019.parquet:4"],
            }
        ],
        "series": {
            "steps": [_step(i, h[:, i], p[:, i], right[:, i]) for i in range(VISITS)],
            "pass_rates": _histogram(p),
            "prompts": [_prompt(i, p[i], right[i], tokens[i]) for i in range(prompts)],
            "prompts_shown": prompts,
            "prompts_total": prompts,
        },
        "command": "bitrate audit runs/add_two_digits_grpo --html report.html",
    }
    wrong = audit["groups"]["all_wrong"]
    audit["advice"] = [
        {
            "code": "dead_groups",
            "text": f"{percent(wrong.value or 0.0)} of groups were all wrong. Sample these prompts less.",
            "figure": wrong,
        },
        {
            "code": "group_size",
            "text": "Groups of 16 would be mixed more often, at twice the rollouts a prompt.",
            "figure": audit["k_advice"][3]["dead_groups"],
        },
    ]
    return plain(audit)


def missing_audit() -> dict[str, Any]:
    """The same audit without anything that a sparse log cannot give."""
    audit = sample_audit(40)
    reason = "every group holds one rollout: how pass rates spread cannot be told from chance"

    def without(node: Any) -> Any:
        if isinstance(node, dict) and "method" in node and "level" in node:
            return node if node["level"] == 1.0 else Estimate.missing(node["name"], node["unit"], reason).to_dict()
        if isinstance(node, dict):
            return {k: without(v) for k, v in node.items()}
        return [without(v) for v in node] if isinstance(node, list) else node

    bare = without(audit)
    for part in bare["spent"].values():
        part["tokens"] = Estimate.missing(
            "tokens", "tokens", "no token counts in these files; say --columns completion_tokens=COLUMN"
        ).to_dict()
    bare["own_k"] = Estimate.missing("mean group size", "rollouts per group", reason).to_dict()
    bare["series"]["pass_rates"] |= {"first": None, "last": None}
    bare["series"]["prompts"] = []
    bare["advice"] = []
    return bare


def hostile_audit() -> dict[str, Any]:
    """The same audit with hostile text wherever a log's own text can stand."""
    audit = sample_audit(len(HOSTILE) * 3)
    for i, row in enumerate(audit["series"]["prompts"]):
        text = HOSTILE[i % len(HOSTILE)]
        row |= {"prompt_id": f"{i} {text}", "prompt": text * 2}
    everything = " ".join(HOSTILE)
    audit |= {
        "run": everything,
        "format": HOSTILE[0],
        "command": f"bitrate audit {everything}",
        "caveats": list(HOSTILE),
    }
    audit["advice"] = [{**audit["advice"][0], "text": text} for text in HOSTILE]
    audit["quarantine"] = [{"reason": text, "count": 1, "unit": "rows", "where": [f"{text}:1"]} for text in HOSTILE]
    audit["ledger"]["absorbed_bits"] = Estimate.missing("absorbed " + HOSTILE[1], "bits/prompt", everything).to_dict()
    audit["series"]["pass_rates"]["note"] = everything
    return audit


def sample_comparison() -> dict[str, Any]:
    """Two simulated runs side by side, one figure missing."""
    sides = [sample_audit(240, seed) for seed in (7, 8)]
    figures = [
        {
            "outcome_bits": s["ledger"]["outcome_bits"],
            "mixed": s["groups"]["mixed"],
            "bits_per_dollar": s["cost"]["bits_per_dollar"],
        }
        for s in sides
    ]
    differences = {}
    for key, a in figures[0].items():
        b = figures[1][key]
        if a["value"] is None:
            differences[key] = a
            continue
        gap, reach = b["value"] - a["value"], a["high"] - a["low"]
        differences[key] = {**a, "value": gap, "low": gap - reach, "high": gap + reach}
    return {
        "a": {"run": "first [red]run[/red]\x1b[31m"},
        "b": {"run": "second"},
        "shared_prompts": Estimate.exact("shared prompts", 240, "prompts").to_dict(),
        "differences": differences,
        "a_figures": figures[0],
        "b_figures": figures[1],
        "caveats": ["The two runs used another K."],
    }


def plain(node: Any) -> Any:
    """Estimates as dicts, NumPy numbers as Python's, all copied."""
    if isinstance(node, Estimate):
        return node.to_dict()
    if isinstance(node, dict):
        return {k: plain(v) for k, v in node.items()}
    if isinstance(node, (list, tuple)):
        return [plain(v) for v in node]
    return node.item() if isinstance(node, np.generic) else copy.copy(node)


def _dead_bits(p: np.ndarray, k: int) -> np.ndarray:
    """Bits a rollout that merging the all-right and the all-wrong pattern costs: P_dead h(P_right/P_dead) / K."""
    right, wrong = p**k, (1 - p) ** k
    share = np.clip(right / (right + wrong), 1e-12, 1 - 1e-12)
    return (right + wrong) * entropy(share) / k


def _advice(p: np.ndarray, k: int, tokens: float) -> dict[str, Any]:
    update = about(f"outcome bits kept per rollout at K={k}", (entropy(p) - _dead_bits(p, k)).mean(1), "bits/rollout")
    return {
        "k": k,
        "update_bits": update,
        "dead_groups": about(f"constant groups at K={k}", (p**k + (1 - p) ** k).mean(1), "share of groups"),
        "learning_value": about(f"learning value at K={k}", (p * (1 - p)).mean(1) * (k - 1) / k, "variance/rollout"),
        "update_bits_per_kilotoken": update.scaled(
            1000 / tokens, f"outcome bits kept per thousand tokens at K={k}", "bits/kilotoken"
        ),
    }


def _step(i: int, h: np.ndarray, p: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    return {
        "step_first": 4 * i + 1,
        "step_last": 4 * i + 4,
        "groups": len(p),
        "outcome_bits": about("outcome bits per rollout", h, "bits/rollout"),
        "pass_rate": about("pass rate", p, "share of rollouts"),
        "mixed": float(((right > 0) & (right < K)).mean()),
        "all_right": float((right == K).mean()),
        "all_wrong": float((right == 0).mean()),
        "constant": float(((right == 0) | (right == K)).mean()),
    }


def _histogram(p: np.ndarray) -> dict[str, Any]:
    edges = np.linspace(0, 1, 21)
    shares = {k: np.histogram(v, edges)[0] / v.size for k, v in {"first": p[:, 0], "last": p[:, -1], "all": p}.items()}
    return {
        "edges": edges.tolist(),
        **{k: v.tolist() for k, v in shares.items()},
        "note": "True pass rates of the simulation.",
    }


def _prompt(i: int, p: np.ndarray, right: np.ndarray, tokens: np.ndarray) -> dict[str, Any]:
    state = "mastered" if p[-1] > 0.95 else "hopeless" if p[-1] < 0.05 else "learning"
    return {
        "prompt_id": f"{i:04d}",
        "prompt": f"What is {17 + i} + {29 + 3 * i}? Answer with a number.",
        "groups": VISITS,
        "rollouts": VISITS * K,
        "right": int(right.sum()),
        "pass_rate": float(p.mean()),
        "bits": float(entropy(p).mean()),
        "first": float(p[0]),
        "last": float(p[-1]),
        "tokens": int(tokens.mean()),
        "state": state,
    }
