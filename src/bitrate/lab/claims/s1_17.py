"""Is a low-rank adapter enough for what RL has to teach?"""

from bitrate.types import Claim

CLAIM = Claim(
    id="S1.17",
    statement="LoRA is enough for RL: even a rank-1 adapter has far more parameters than RL gives bits.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, introduction, after Schulman, LoRA Without "
    "Regret",
    pending="It is about what an adapter can store, which no formula says. Training experiment T4 will measure it: "
    "adapters from one parameter to rank 8, against planted answer keys of known entropy, taught by SFT and by RL.",
    remark="What must fit is the entropy of what is learnt, not the number of rollouts: a run cannot carry more bits "
    "than the answer key has, however long it is (S1.2). Expected to hold while that entropy is below the adapter's "
    "capacity, about 2 to 4 bits a parameter.",
)
