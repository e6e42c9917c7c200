"""A simple verifier and a hard generator: which way of using the same preferences wins?"""

from bitrate.lab.claim import Claim
from bitrate.lab.claims.t5 import ROADS, WINS, arms, case, lead

FEW, MANY = "plan, 128 pairs", "plan, 512 pairs"
MORE = lead(0.0, "lower", ROADS)

CLAIM = Claim(
    id="S2.3",
    statement="Where verifying is simpler than generating, online RL on a learned reward model beats offline fitting "
    "of the policy to the same preferences.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=(
        case(FEW, "bag, RL", "DPO", "128 pairs, RL on a bag of tokens less DPO", stated=WINS),
        case(FEW, "bag, RL", "SFT", "128 pairs, RL on a bag of tokens less SFT", stated=WINS),
        case(MANY, "bag, RL", "DPO", "512 pairs, RL on a bag of tokens less DPO", stated=MORE),
        case(FEW, "rule, RL", "DPO", "128 pairs, RL on a rule that is told to count less DPO", stated=WINS),
        case(FEW, "network, RL", "DPO", "128 pairs, RL on the policy's architecture less DPO", stated=WINS,
             assumed=False),
    ),
    arms=arms,
    rival_name="no difference: both are given the same bits; and any reward model wins",
    tolerance=0.2,
    budget=2 * 100_000,
    condition="the reward model comes from a class that is as simple as the check; a network like the policy loses",
    remark="Not measured yet.",
    needs="train",
)  # fmt: skip
