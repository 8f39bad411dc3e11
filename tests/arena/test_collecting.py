"""A process of ours keeps what its start made out of the search for garbage; one of somebody else's is left alone."""

import gc
import subprocess
import sys

from arena import collecting


def test_a_process_of_somebody_elses_is_left_alone() -> None:
    before = gc.get_freeze_count()
    collecting.settle()
    assert gc.get_freeze_count() == before


def test_what_a_start_made_is_never_looked_at_again() -> None:
    program = "import gc; from arena import collecting as c; c.begin(); c.settle(); print(gc.get_freeze_count())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 1_000
