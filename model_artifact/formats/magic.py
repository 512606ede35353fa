"""Recognises what could run code by its first bytes: pickles, programs, and containers that hold either.

Looks at no names. Pickles are recognised by reading their opcodes, never by loading them.
"""

from __future__ import annotations

import pickletools

HEAD_BYTES = 64 * 1024

_PROGRAMS = {
    b"\x7fELF": "a program (ELF)",
    b"MZ": "a program (Windows)",
    b"\xfe\xed\xfa\xce": "a program (Mach-O)",
    b"\xfe\xed\xfa\xcf": "a program (Mach-O)",
    b"\xce\xfa\xed\xfe": "a program (Mach-O)",
    b"\xcf\xfa\xed\xfe": "a program (Mach-O)",
    b"\xca\xfe\xba\xbe": "a program (Java or Mach-O)",
    b"\0asm": "a program (WebAssembly)",
}
_CONTAINERS = {
    b"PK\x03\x04": "a zip archive, as PyTorch's pickles are",
    b"PK\x05\x06": "a zip archive",
    b"\x93NUMPY": "a NumPy file, which may hold a pickle",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, which may hold code",
    b"\x1f\x8b": "a gzipped file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"x\x9c": "a zlib stream, as joblib's pickles are",
    b"ZF": "a compressed joblib pickle",
}
_TAR = (257, b"ustar")
# Opcodes that import or call something, and the marks of protocols 2 and up.
_ACTS = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4"}
_ENOUGH_OPCODES = 16


def program_in(head: bytes) -> str | None:
    """What kind of program the bytes are, or None."""
    return next((kind for magic, kind in _PROGRAMS.items() if head.startswith(magic)), None)


def is_script(head: bytes) -> bool:
    """Whether a shell would start an interpreter for it."""
    return head.startswith(b"#!")


def container_in(head: bytes) -> str | None:
    """What kind of archive or object file the bytes are, or None."""
    if head[_TAR[0] : _TAR[0] + len(_TAR[1])] == _TAR[1]:
        return "a tar archive"
    return next((kind for magic, kind in _CONTAINERS.items() if head.startswith(magic)), None)


def is_pickle(head: bytes) -> bool:
    """Whether the bytes begin as a pickle does, of any protocol.

    A text or a weight may begin like one by chance: it counts when it comes to its end and does something, or carries
    a protocol's mark and many valid opcodes.
    """
    marked = len(head) > 1 and head[0] == 0x80 and head[1] <= 5
    acts, opcodes = False, 0
    try:
        for opcode, _, _ in pickletools.genops(head):
            opcodes += 1
            acts = acts or opcode.name in _ACTS
            if opcode.name == "STOP":
                return marked or acts or opcodes > 1
            if opcodes >= _ENOUGH_OPCODES and (marked or acts):
                return True
    except Exception:  # on hostile bytes the reader of opcodes raises whatever comes up: no pickle from there on
        return marked and (opcodes >= _ENOUGH_OPCODES or acts)
    return False
