"""Become a command that dies with the process that started it.

Run by path as `python -I -S leash.py PARENT_PID SIGNAL COMMAND...`. It asks the kernel for SIGNAL at the parent's end
and then replaces itself with the command, so the process id stays the same. It imports nothing of the project: it must
start in milliseconds. Where the kernel has no such request (macOS), the command simply starts.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal_name, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.Signals[signal_name].value)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit("the starting process is gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
