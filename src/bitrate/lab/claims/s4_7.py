"""Is a bit worth more when the learner sampled the rollout itself?"""

from bitrate.types import Claim

CLAIM = Claim(
    id="S4.7",
    statement="Bits from RL are more useful than those from labels, since they are on-policy and about performance "
    "on the task.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    pending="How useful a bit is shows in training only. Experiment T8 will compare held-out gain per bit received "
    "between RL, SFT and distillation at matched FLOPs.",
    remark="Part of it is arithmetic: a shown solution has bits about which of many good solutions it is, and a 0/1 "
    "reward has none of those. Whether the rest are better bits, only training tells.",
)
