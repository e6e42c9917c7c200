"""The advantage of online RL when verifying is as hard as generating."""

from bitrate.lab.claim import Claim
from bitrate.lab.claims.t5 import arms, case

CLAIM = Claim(
    id="S2.4",
    statement="Close the gap, with a verifier as hard as the generator or a horizon of one token, and the advantage "
    "of online RL over offline fitting vanishes.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=(
        case("6 tokens, 128 pairs", "network, RL", "DPO", "verifier like the generator, 128 pairs: RL less DPO"),
        case("6 tokens, 512 pairs", "network, RL", "DPO", "verifier like the generator, 512 pairs: RL less DPO"),
        case("1 token, 128 pairs", "rule, RL", "DPO", "horizon of one token, 128 pairs: RL less DPO"),
        case("1 token, 3 pairs", "rule, RL", "DPO", "horizon of one token, 3 pairs: RL less DPO"),
        case("1 token, 2 pairs", "rule, RL", "DPO", "horizon of one token, 2 pairs: RL less DPO"),
    ),
    arms=arms,
    rival_name="the advantage stays, about half of that with the gap or more",
    tolerance=0.2,
    budget=40 * 750_000,
    remark="The first two cases keep the task and the pairs and change the reward model alone, for a network like the "
    "policy: RL on it falls behind DPO. With one token the simple rule is kept; 128 pairs leave no room above DPO, "
    "which passes everything; three pairs or two do. With two a lead of about .13 is left, less than with the gap and "
    "more than none: little data leave a simple rule something to win at any horizon.",
    needs="train",
)
