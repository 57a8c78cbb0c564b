import signal
import subprocess
import sys
import textwrap

import pytest

from infra.local.triton import loopback_only


@pytest.fixture(autouse=True, scope="module")
def _a_kernel_that_asks(tmp_path_factory):
    ran = _run(tmp_path_factory.mktemp("probe"), "") if sys.platform == "linux" else None
    if ran is None or ran.returncode == loopback_only.REFUSED:
        pytest.skip(ran.stderr if ran else "it takes Linux")


def _run(tmp_path, program, **also):
    return subprocess.run(
        [
            *loopback_only.command(tmp_path / "ports"),
            sys.executable,
            "-c",
            textwrap.dedent(program),
        ],
        capture_output=True,
        text=True,
        check=False,
        **also,
    )


def test_a_port_for_every_address_is_one_of_this_machine(tmp_path):
    ran = _run(
        tmp_path,
        """
        import socket
        server = socket.create_server(("0.0.0.0", 0))
        print(*server.getsockname())
        client = socket.create_connection(server.getsockname())
        client.sendall(b"hello")
        print(server.accept()[0].recv(5))
        """,
    )

    port = (tmp_path / "ports").read_text().strip()
    assert ran.stderr == ""
    assert ran.stdout == f"127.0.0.1 {port}\nb'hello'\n"


def test_ports_are_told_in_the_order_of_binding(tmp_path):
    ran = _run(
        tmp_path,
        """
        import socket
        for address in ("127.0.0.1", "0.0.0.0", ""):
            print(socket.create_server((address, 0)).getsockname()[1])
        """,
    )

    assert (tmp_path / "ports").read_text() == ran.stdout


def test_what_it_starts_is_held_as_well(tmp_path):
    ran = _run(
        tmp_path,
        """
        import subprocess, sys
        inner = "import socket; print(socket.create_server(('', 0)).getsockname()[0])"
        subprocess.run([sys.executable, "-c", inner])
        """,
    )

    assert ran.stdout == "127.0.0.1\n"


def test_ipv6_has_no_address_and_what_is_not_of_the_network_is_left_alone(tmp_path):
    ran = _run(
        tmp_path,
        """
        import socket
        socket.socket(socket.AF_UNIX).bind("here")
        try:
            socket.socket(socket.AF_INET6).bind(("::", 0))
        except OSError as error:
            print(error.strerror)
        """,
        cwd=tmp_path,
    )

    assert (tmp_path / "here").is_socket()
    assert ran.stdout == "Cannot assign requested address\n"


def test_a_port_that_is_taken_is_taken_for_it_too(tmp_path):
    ran = _run(
        tmp_path,
        """
        import errno, socket
        taken = socket.create_server(("127.0.0.1", 0))
        try:
            socket.create_server(("", taken.getsockname()[1]))
        except OSError as error:
            print(errno.errorcode[error.errno])
        """,
    )

    assert ran.stdout == "EADDRINUSE\n"


@pytest.mark.parametrize(
    ("program", "status"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 128 + signal.SIGKILL)],
)
def test_it_ends_as_the_program_ends(tmp_path, program, status):
    assert _run(tmp_path, program).returncode == status


def test_a_program_that_is_not_there_is_reported(tmp_path):
    ran = subprocess.run(
        [*loopback_only.command(tmp_path / "ports"), str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == loopback_only.REFUSED
    assert "No such file or directory" in ran.stderr


def test_the_program_ends_with_it(tmp_path):
    program = "import time; print('up', flush=True); time.sleep(60)"
    alone = subprocess.Popen(
        [*loopback_only.command(tmp_path / "ports"), sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert alone.stdout is not None
    assert alone.stdout.readline() == "up\n"

    alone.kill()

    assert alone.communicate(timeout=10)[0] == ""  # its output ends when nobody is left to write
