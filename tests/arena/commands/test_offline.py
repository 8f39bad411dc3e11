"""A season needs no network: it plays to its end in a process in which no socket can connect and no name resolves."""

from pathlib import Path
from typing import Any

# Loopback is refused too; a pair of connected sockets, which event loops wake themselves with, is not a connection.
WITHOUT_NETWORK = """
import socket, sys

def refuse(*args, **kwargs):
    print("REACHED FOR THE NETWORK", args, file=sys.stderr, flush=True)
    raise OSError("there is no network")

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
from arena.cli import main
main()
"""


def test_a_season_reaches_for_no_network(lab: Any, invented: Path, tmp_path: Path) -> None:
    process = lab.spawn("run", invented, "--home", tmp_path, "--json", program=("-c", WITHOUT_NETWORK))
    said = lab.ended(process)
    assert "REACHED FOR THE NETWORK" not in said.err
    assert said.code == 0, said.err
    assert said.document["rounds_done"] == 6
