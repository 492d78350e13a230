"""Writes the JSON Schema of every contract, and the AsyncAPI description of the topics, to `libs/schemas/json/`.

`python -m libs.schemas.generate [--check]`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from libs.schemas import asyncapi, directory, events, records

FOLDER = Path(__file__).parent / "json"

CONTRACTS: dict[str, Any] = {
    "upstream-event": events.UpstreamEvent,
    "accepted-event": records.AcceptedEvent,
    "gateway-record": records.GatewayRecord,
    "delivery-batch": records.DeliveryBatch,
    "dead-letter": records.DeadLetter,
    "lifecycle-record": records.LifecycleRecord,
    "directory-entry": directory.DirectoryEntry,
}


def generate() -> dict[str, str]:
    """The text of every schema file, by file name."""
    schemas = {f"{name}.schema.json": _text(name, contract) for name, contract in CONTRACTS.items()}
    return schemas | {"asyncapi.json": _json(asyncapi.document())}


def _text(name: str, contract: Any) -> str:
    schema = TypeAdapter(contract).json_schema(by_alias=True, mode="validation")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:carillon:schema:{name}"}
    return _json(head | schema)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def drifted() -> list[str]:
    """Names of schema files that differ from the models."""
    return [name for name, text in generate().items() if _read(FOLDER / name) != text]


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def main(arguments: list[str]) -> int:
    """Writes the files, or with `--check` only says which ones drifted (exit status 1)."""
    if "--check" in arguments:
        names = drifted()
        for name in names:
            print(f"{name} differs from its model: run `make schemas`", file=sys.stderr)
        return 1 if names else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in generate().items():
        (FOLDER / name).write_text(text)
        print(FOLDER / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
