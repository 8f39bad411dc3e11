"""Changes that a suite makes to what a desk sees: to the market of a case, or to what its models are sent.

Each is named in a case's ``alters``: ``mask:SEED``, ``reorder``, ``paraphrase``, ``poison:CHANNEL:ATTACK``.
"""

from evals.alterations.altered import Alterations, Altered, parse_alterations
from evals.alterations.attacks import ATTACKS, Attack
from evals.alterations.channels import CHANNELS

__all__ = ["ATTACKS", "CHANNELS", "Alterations", "Altered", "Attack", "parse_alterations"]
