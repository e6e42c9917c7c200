"""A simple verifier and a hard generator: which way of using the same preferences wins?"""

from bitrate.lab.claim import Claim
from bitrate.lab.claims.t5 import TASKS, arms, case

CLAIM = Claim(
    id="S2.3",
    statement="Where verifying is simpler than generating, online RL on a learned reward model beats offline fitting "
    "of the policy to the same preferences.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=tuple(
        case(task, "rule, RL", less, f"{task}: RL less {less}")
        for task in TASKS if TASKS[task][0] > 1 for less in ("DPO", "SFT")
    ),
    arms=arms,
    rival_name="no difference: both are given the same bits",
    tolerance=0.2,
    budget=10 * 800_000,
    remark="The simple verifier is a rule that counts, with nine numbers to learn, and the generator a transformer. "
    "More pairs bring DPO closer. The rule knows the form of the task, which no way of fitting the policy is told: "
    "that is what a gap means here. On a network as the reward model nothing is won, see S2.4.",
    needs="train",
)  # fmt: skip
