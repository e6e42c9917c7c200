"""From groups to the ledger: the group table, lines, advice, and the typed audit. Nothing here reads a file."""
