"""A process of ours keeps what its start made out of the search for garbage; one of somebody else's is left alone."""

import subprocess
import sys


def frozen(acts: str) -> int:
    """How many objects are set aside in a process that does ``acts``."""
    program = f"import gc; from arena import collecting; {acts}; print(gc.get_freeze_count())"
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


def test_a_process_of_somebody_elses_is_left_alone() -> None:
    assert frozen("collecting.settle()") == frozen("None")


def test_what_a_start_made_is_never_looked_at_again() -> None:
    assert frozen("collecting.begin(); collecting.settle()") > frozen("None") + 1_000
