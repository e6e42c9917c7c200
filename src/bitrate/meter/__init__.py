"""From groups to the ledger: signals, costs, advice and comparison. Nothing here reads a file."""
