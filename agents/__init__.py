"""Role agents: who they are, what they must answer, how they reach a model, and one turn of one of them.

The order of their turns is the desk graph's (``graphs``); the tools they call are in ``tools``.
"""
