"""What a claim may measure: each signal is given the folder of a run's files, and nothing else.

``LedgerLine`` is the audit that users run, and ``PassRateInformation`` is made of two figures of it. The others read
the same rollouts through the same reader: ``Information`` and ``Unresolved`` count codes, ``Mean`` counts by prompt.
More of them, each for one question, are in modules of their own.
"""

from bitrate.lab.signals.codes import Information, Unresolved
from bitrate.lab.signals.counts import Mean, PassRateInformation
from bitrate.lab.signals.ledger import LedgerLine

__all__ = ["Information", "LedgerLine", "Mean", "PassRateInformation", "Unresolved"]
