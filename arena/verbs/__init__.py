"""The verbs of the command line, one module for each side of the house. Their work is imported when they are called."""
