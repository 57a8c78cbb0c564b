"""Runs a program whose ports only this machine can reach: `loopback_only.py PORTS PROGRAM …`.

Triton binds its SageMaker port to every address, and no option says otherwise. So the kernel stops
the program at each `bind` and asks this process (seccomp's user notification, Linux 5.9 and later):
in place of its socket the program finds another under the same number, bound to 127.0.0.1. It takes
no privilege, costs nothing once the ports stand, and leaves the program as it was built. Whoever
asks for port 0 gets any that is free: the file PORTS has a line for each, in the order of binding.

Ends with the program's status, or with 125 where the kernel does not let us.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
from pathlib import Path

REFUSED = 125

# The kernel's numbers, as in <linux/audit.h>, <asm/unistd.h>, <linux/prctl.h>, <linux/seccomp.h>.
_MACHINES = {"x86_64": (0xC000003E, 49, 317), "aarch64": (0xC00000B7, 200, 277)}
_PARENT_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38
_SET_FILTER, _NEW_LISTENER = 1, 8
_LOAD, _SKIP_UNLESS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_RECEIVE, _ANSWER, _PUT_SOCKET = 0xC0502100, 0xC0182101, 0x40182103
_CARRY_ON, _IN_PLACE = 1, 1

_QUESTION = struct.Struct("QII iIQ QQQ 24x")  # id, pid, -; call, machine, -; socket, address, size
_REPLY = struct.Struct("QqiI")  # id, value, -errno, flags
_SOCKET = struct.Struct("QIIII")  # id, flags, our number, the program's, flags of the program's


def command(ports: Path) -> list[str]:
    """Return the words to put before those of a program."""
    # -S -E: it needs the standard library alone, and is up in a few milliseconds.
    return [sys.executable, "-S", "-E", __file__, str(ports)]


def main(ports: str, *program: str) -> int:
    """Run a program to its end."""
    ours, childs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _become(program, childs)
    childs.close()
    # Whoever interrupts the group means the program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    _, questions, _, _ = socket.recv_fds(ours, 1, 1)
    if questions:
        _answer_all(questions[0], Path(ports))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def _become(program: tuple[str, ...], parent: socket.socket) -> None:
    try:
        socket.send_fds(parent, [b"."], [_ask_at_bind()])
        os.execv(program[0], program)  # noqa: S606 - without a shell on purpose
    except (OSError, KeyError) as error:
        sys.stderr.write(f"It cannot be held to 127.0.0.1 here: {error!r}\n")
    os._exit(REFUSED)


def _ask_at_bind() -> int:
    """Put this process, and all that it starts, under a filter; return where questions come in."""
    machine, bind, seccomp = _MACHINES[platform.machine()]
    steps = (
        (_LOAD, 0, 0, 4),  # the machine whose numbers are meant
        (_SKIP_UNLESS, 0, 3, machine),
        (_LOAD, 0, 0, 0),  # the number of the call
        (_SKIP_UNLESS, 0, 1, bind),
        (_RETURN, 0, 0, _ASK),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    whole = struct.pack("H6xQ", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    libc.syscall.argtypes = (*[ctypes.c_long] * 3, ctypes.c_char_p)
    libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    questions: int = libc.syscall(seccomp, _SET_FILTER, _NEW_LISTENER, whole)
    if questions < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return questions


def _answer_all(questions: int, ports: Path) -> None:
    """Answer until nobody is left to ask."""
    waiting = select.poll()
    waiting.register(questions, select.POLLIN)
    while all(event & select.POLLIN for _, event in waiting.poll()):
        question = bytearray(_QUESTION.size)
        with contextlib.suppress(OSError):  # whoever asked has ended
            fcntl.ioctl(questions, _RECEIVE, question)
            fcntl.ioctl(questions, _ANSWER, _answer(questions, question, ports))


def _answer(questions: int, question: bytearray, ports: Path) -> bytes:
    number, pid, _, _, _, _, theirs, address, size = _QUESTION.unpack(question)
    try:
        port = _port_asked_for(pid, address, size)
        if port is None:
            return _REPLY.pack(number, 0, 0, _CARRY_ON)
        with socket.create_server(("127.0.0.1", port)) as bound:
            bound.settimeout(0)  # not blocking, as the program's own was
            put = _SOCKET.pack(number, _IN_PLACE, bound.fileno(), theirs, os.O_CLOEXEC)
            fcntl.ioctl(questions, _PUT_SOCKET, put)
            with ports.open("a") as file:
                file.write(f"{bound.getsockname()[1]}\n")
    except OSError as error:
        return _REPLY.pack(number, 0, -(error.errno or errno.EACCES), 0)
    return _REPLY.pack(number, 0, 0, 0)


def _port_asked_for(pid: int, address: int, size: int) -> int | None:
    """Return the port of an address in the program's memory, None unless it is the network's."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123 - unbuffered
        memory.seek(address)
        start = memory.read(size)[:4]
    family = int.from_bytes(start[:2], sys.byteorder)
    if family == socket.AF_INET6:
        raise OSError(errno.EADDRNOTAVAIL, "there is 127.0.0.1 only")
    return int.from_bytes(start[2:], "big") if family == socket.AF_INET else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
