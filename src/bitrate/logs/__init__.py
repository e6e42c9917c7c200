"""From files to groups: formats, reading, the reduction, and what is written as rollouts."""
