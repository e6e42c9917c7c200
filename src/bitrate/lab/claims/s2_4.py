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
    remark="Alike means within .1, for the whole interval. With a key for every prompt, RL on a rule that is told "
    "the form and on the policy's architecture are alike with DPO; on a bag of tokens RL is .06 behind, and "
    "not refuted. With one token and one number to ask for, one pair shows a right answer and all ways give "
    "it: alike, with no room to differ. A horizon of one token is not enough by itself. Where prompts ask for "
    "a token of the class or for one of the others, a few pairs leave room: RL on a bag of tokens and on the "
    "policy's architecture, which are told nothing of the form, fall behind DPO, by .13 and .18 with two "
    "pairs, by .37 and .32 with five. The rule that is told the form is ahead by .20 with one pair (.07 to "
    ".34), .08 with two, .01 with three, -.06 with five: all but the last are undecided by 64 networks. The "
    ".13 that was published before of two pairs was of that rule alone.",
    needs="train",
)  # fmt: skip
