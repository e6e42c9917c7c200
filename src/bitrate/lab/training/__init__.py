"""Training runs of the experiments T2 and on: functions from settings, a folder and a generator to rollouts and a cost.

Each is a pure function of its arguments, see :class:`bitrate.lab.claim.Arm`. PyTorch comes with ``bitrate[train]``.
"""
