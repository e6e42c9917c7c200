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
    remark="To check an answer is to see how many of its tokens are of a hidden class; to write one takes a plan. A "
    "perceptron on a bag of tokens is told that order does not matter and nothing of counting, and learns the "
    "check from 128 pairs; RL on it leads DPO by .37. A rule that is told to count is no better. More pairs "
    "bring DPO closer: .09 with 512. The policy's own architecture is as much a learned reward model, of the "
    "same data; it does not learn the check from so few pairs, and RL on it ends .38 below DPO. So the gap "
    "must be in the class of reward models as well as in the data. In pilots strong weight decay took DPO "
    "from .62 to .77, and did not close the gap.",
    needs="train",
)  # fmt: skip
