"""The write-ahead log beside a journal that is being written, or whose writer was killed.

SQLite stops reading it at the first frame that does not fit and says nothing: one changed byte would make events
vanish. The format is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

import struct
from pathlib import Path

_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_MASK = 0xFFFFFFFF


def is_log_damaged(journal: Path) -> bool:
    """Whether a frame of the log was changed although whole transactions of the same writer follow it.

    The end of a log may be torn where a writer was killed; what comes before its end may not.
    """
    log = journal.with_name(f"{journal.name}-wal")
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        return False
    if len(content) < _HEADER_BYTES or not _has_damage(content):
        return False
    # A log that was begun anew while it was read shows parts of two.
    return log.exists() and log.read_bytes()[:_HEADER_BYTES] == content[:_HEADER_BYTES]


def _has_damage(content: bytes) -> bool:
    order = "<" if content[3] == 0x82 else ">"
    sums = _checksum(content[:24], (0, 0), order)
    if sums != struct.unpack(">II", content[24:_HEADER_BYTES]):
        return len(content) > _HEADER_BYTES
    page_bytes, salts = int.from_bytes(content[8:12], "big"), content[16:24]
    broken = False
    for start in range(_HEADER_BYTES, len(content), _FRAME_HEADER_BYTES + page_bytes):
        frame = content[start : start + _FRAME_HEADER_BYTES + page_bytes]
        if len(frame) < _FRAME_HEADER_BYTES + page_bytes:
            break
        is_ours, is_commit = frame[8:16] == salts, any(frame[4:8])
        if broken and is_ours and is_commit:
            return True
        if not broken:
            sums = _checksum(frame[:8], sums, order)
            sums = _checksum(frame[_FRAME_HEADER_BYTES:], sums, order)
            broken = not is_ours or sums != struct.unpack(">II", frame[16:_FRAME_HEADER_BYTES])
    return False


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    for one, two in struct.iter_unpack(f"{order}II", data):
        first = (first + one + second) & _MASK
        second = (second + two + first) & _MASK
    return first, second
