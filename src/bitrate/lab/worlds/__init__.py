"""Tabular worlds: tasks with hidden targets, softmax policies that learn them, and the log that they write."""
