"""Search-space reduction or information gain?"""

from bitrate.types import Claim

CLAIM = Claim(
    id="S2.5",
    statement="Online RL wins because it has fewer policies to search, those that are best for some simple verifier, "
    "and not because it has more information.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    pending="The gain has to be measured by training. Experiment T5 will report two lines of the ledger for both "
    "ways: the bits received from the preferences, and what generalised.",
    remark="That there is no more information holds by S2.1. If both ways receive the same bits and only one "
    "generalises, the difference cannot be information; whether it is the search, the controls of S2.4 must show.",
)
