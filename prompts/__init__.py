"""Prompt files, their versions and the loader that fills their typed slots.

Text for models only: what a role may do and how it must answer stands in ``agents``.
"""

from prompts.loader import Prompt, load_prompt, resolve, use_prompts
from prompts.slots import SlotType

__all__ = ["Prompt", "SlotType", "load_prompt", "resolve", "use_prompts"]
