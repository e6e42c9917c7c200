"""The advantage of online RL when verifying is as hard as generating."""

from bitrate.types import Claim

CLAIM = Claim(
    id="S2.4",
    statement="Close the gap, with a verifier as hard as the generator or a horizon of one token, and the advantage "
    "of online RL over offline fitting vanishes.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    pending="It is about what networks learn, which no formula says. Training experiment T5 will measure it: the "
    "comparison of S2.3 once more, with a verifier as complex as the generator, and with answers of one token.",
    remark="This is the control of S2.3: if the advantage stays when the gap is closed, the gap was not its cause.",
)
