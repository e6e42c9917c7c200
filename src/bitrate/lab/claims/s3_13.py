"""Are RL's bits worth more than pretraining's?"""

from __future__ import annotations

from bitrate.lab.claim import Claim, own_arms, registered
from bitrate.lab.claims.t8 import FULL, PROMPTS, arm, folder
from bitrate.lab.signals.regression import Gain, gain_lead

GRPO, SFT = arm("GRPO, early", FULL), arm("SFT, early", FULL)
RIVAL = "a bit is a bit"


def a_bit(name: str) -> Gain:
    """Held-out bits a bit received, both a prompt."""
    return Gain(folder(name), "held out", per="total received", scale=PROMPTS)


CLAIM = Claim(
    id="S3.13",
    statement="RL's bits are worth more than pretraining's.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, the bits you learn are very "
    "important",
    cases=(
        registered(
            "held-out bits a bit, GRPO less SFT, same FLOPs", gain_lead(a_bit("GRPO, early"), a_bit("SFT, early")),
            (GRPO, SFT), "ratio", (0.02, "lower", "RL's bits are worth more"), (0.0, "exact", RIVAL),
        ),
    ),
    arms=own_arms,
    rival_name=RIVAL,
    tolerance=0.3,
    budget=2 * FULL * 8 * 48 * 66,
    remark="No bound on received bits limits what generalises, so a count of bits alone cannot say which are worth "
    "more. Here both kinds tell the same few bits of one-token answers at the same FLOPs, and 32 networks cannot tell "
    "the two apart. S4.7 asks the same in more settings. That RL brings out "
    "what is latent and that heuristics come first are claims of their own (S3.17, S3.18).",
    against=("S4.7",),
    needs="train",
)  # fmt: skip
