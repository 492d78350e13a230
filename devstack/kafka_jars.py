"""The jars of the embedded Kafka, fetched once by Maven from the versions pinned in pom.xml."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from devstack.cache import cache_directory, filled_once

_POM = Path(__file__).with_name("pom.xml")
_NAMESPACE = {"m": "http://maven.apache.org/POM/4.0.0"}


def kafka_version() -> str:
    """The version named in pom.xml."""
    version = ElementTree.parse(_POM).findtext("m:properties/m:kafka.version", namespaces=_NAMESPACE)  # noqa: S314  our file
    if version is None:
        raise LookupError(f"{_POM} has no kafka.version")
    return version


def kafka_jars() -> Path:
    """The directory of jars, downloaded (43 MB) when this machine does not have it yet."""
    return filled_once(cache_directory() / f"kafka-{kafka_version()}", _download)


def java() -> str:
    """The Java program; LookupError says what to install."""
    found = shutil.which("java")
    if found is None:
        raise LookupError(
            "java is not on the path; the embedded Kafka needs Java 17 or newer (`make setup` installs it)"
        )
    return found


def _download(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LookupError("mvn is not on the path; it fetches the embedded Kafka (`make setup` installs it)")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    result = subprocess.run(
        [maven, "--quiet", "--batch-mode", "--file", str(_POM), *goal], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"Maven could not fetch Kafka:\n{result.stdout[-4000:]}{result.stderr[-2000:]}")
