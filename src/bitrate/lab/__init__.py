"""The lab: simulated learners that write rollouts as any trainer does, and the claims that are tested on them."""
