"""Are the bits of a label what is learned from it?"""

from bitrate.types import Claim

CLAIM = Claim(
    id="S4.6",
    statement="The information in the labels is not what is learned: the share of it that helps the model to "
    "generalise can be very small or very large.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    pending="It takes training to see what generalises. Experiment T8 will regress memorised and held-out gain on "
    "the bits received, over all runs and with controls that receive none.",
    remark="Our theory agrees: bits received bound what can be memorised of an answer key, and bound no gain on "
    "other prompts. One bit about a rule improves any number of them; bits about noisy labels improve none.",
)
