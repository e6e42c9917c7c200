"""What RL's bits are worth: needs training."""

from bitrate.types import Claim

CLAIM = Claim(
    id="S3.13",
    statement="RL's bits are worth more than pretraining's; it brings out what a model already can do, and simple "
    "heuristics take over before general strategies are ever sampled.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, closing sections",
    pending="what bits are worth on new problems is seen in trained models only: experiments T2 (absorbed bits of SFT "
    "and RL), T6 (which of two strategies takes over) and T8 (leverage: generalised over received bits) of the "
    "training lab will measure it",
    remark="No bound on received bits limits what generalises: one bit about a rule improves unlimited items. So a "
    "count of bits alone cannot say which bits are worth more.",
)
