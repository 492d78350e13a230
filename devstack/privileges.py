"""Running PostgreSQL for a developer who is root (a container, say): PostgreSQL itself refuses to run as root."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from pathlib import Path

_USER = "nobody"  # exists everywhere, so none has to be made


@functools.cache
def dropping_prefix() -> tuple[str, ...]:
    """What to put before a command so that it does not run as root; empty when this process is not root.

    The command keeps one capability of root, passing through directories, because the environment and the data may
    lie below a home directory that is closed to others.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LookupError(
            "PostgreSQL does not run as root, and setpriv (package util-linux) is missing to drop to a user"
        )
    user = pwd.getpwnam(_USER)
    drop = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    with_passage = [*drop, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    allowed = subprocess.run([*with_passage, "true"], capture_output=True, check=False).returncode == 0
    return tuple(with_passage if allowed else drop)  # some containers grant no capabilities


def hand_over(path: Path) -> None:
    """Give a file or directory to the user that commands behind dropping_prefix run as."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(_USER)
        os.chown(path, user.pw_uid, user.pw_gid)
