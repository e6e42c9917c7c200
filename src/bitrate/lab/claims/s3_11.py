"""Curricula for RL: needs training, since what counts is what a model makes of easy prompts."""

from bitrate.types import Claim

CLAIM = Claim(
    id="S3.11",
    statement="A curriculum from easy to hard helps RL far more than it helps pretraining.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on curricula",
    pending="how much a curriculum helps depends on what carries over from easy prompts to hard ones, which no table "
    "of policies has; experiment T7 of the training lab will measure it",
    remark="Theory says which prompts carry bits now: those whose outcome is uncertain. Prompts that are always solved "
    "carry none, however easy, so an order by difficulty alone is not the point; a pass rate off 0 and 1 is.",
)
