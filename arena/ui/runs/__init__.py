"""Runs and evals as a page: what was played and tried in this home folder, how far it is, and how two of it compare."""
