"""A simple verifier and a hard generator: which way of using the same preferences wins?"""

from bitrate.types import Claim

CLAIM = Claim(
    id="S2.3",
    statement="Where verifying is simpler than generating, online RL on a learned reward model beats offline fitting "
    "of the policy to the same preferences.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    pending="It is about what networks learn, which no formula says. Training experiment T5 will measure it: the "
    "same preferences to DPO, to a reward model with RL, to best-of-n and to SFT, with a simple rule as verifier "
    "and a hard generator.",
    remark="It does not contradict S2.1: both ways are given the same bits, and the question is who makes more of "
    "them on prompts that were not seen.",
)
