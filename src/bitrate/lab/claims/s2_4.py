"""The advantage of online RL when verifying is as hard as generating."""

from bitrate.lab.claim import Claim
from bitrate.lab.claims.t5 import RL, TASKS, TIE, arms, case

TOLD = {
    "rule, RL": "a rule that is told the form", "bag, RL": "a bag of tokens", "network, RL": "the policy's architecture"
}  # fmt: skip

CLAIM = Claim(
    id="S2.4",
    statement="Close the gap, with a verifier as hard as the generator or a horizon of one token, and the advantage "
    "of online RL over offline fitting vanishes.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=tuple(
        case(task, way, "DPO", f"{task}: RL on {TOLD[way]} less DPO", stated=TIE, assumed=t.name != "either")
        for task, t in TASKS.items() if t.name != "half" or t.horizon == 1 for way in RL
    ),
    arms=arms,
    rival_name="the advantage stays, nearly all of that with the gap or more",
    tolerance=0.2,
    budget=12 * 100_000,
    condition="the pairs say a right answer to every prompt; what they leave open is filled in by what a verifier is "
    "told, or fails to learn, at any horizon",
    remark="Not measured yet.",
    needs="train",
)  # fmt: skip
