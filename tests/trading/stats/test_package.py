import subprocess
import sys


def test_statistics_start_without_heavy_libraries() -> None:
    program = "import sys, trading.stats; print(sorted({'scipy', 'pandas', 'numba', 'arch'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
