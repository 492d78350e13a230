"""Records of the compacted topic `directory`: the key `kind:tenant:id` names the subject, no value deletes it."""

from __future__ import annotations

from services.ingest.domain import documents, refusals
from services.ingest.domain.directory import KINDS, Change, Subject, read
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule


def change_of(key: bytes | None, value: bytes | None, tenants: TenantRule) -> Change | Refused:
    """The change that a record stands for."""
    subject = _subject(key)
    if isinstance(subject, Refused):
        return subject
    if (refused := tenants.refuses(subject.tenant)) is not None:
        return refused._replace(field="key")
    if value is None:
        return Change(subject, None)
    parsed = documents.parse(value)
    if isinstance(parsed, Refused):
        return parsed
    if parsed.suspicious and (fault := documents.fault(parsed.value)) is not None:
        return fault
    document = {"kind": subject.kind} | parsed.value if isinstance(parsed.value, dict) else parsed.value
    change = read(document, subject.tenant)
    if isinstance(change, Change) and change.subject != subject:
        return Refused(refusals.INVALID_KEY, "the key and the value name different subjects", "key")
    return change


def _subject(key: bytes | None) -> Subject | Refused:
    try:
        kind, tenant, identifier = (key or b"").decode().split(":", 2)
    except ValueError:  # too few parts, or not UTF-8
        return _bad_key()
    named = next((known for known in KINDS if known == kind), None)
    parts = tuple(identifier.split("/", 1)) if named in ("membership", "device") else (identifier,)
    wanted = 2 if named in ("membership", "device") else 1
    if named is None or not tenant or len(parts) != wanted or not all(parts) or "\0" in identifier:
        return _bad_key()
    return Subject(tenant, named, parts)


def _bad_key() -> Refused:
    return Refused(refusals.INVALID_KEY, "the key is {kind}:{tenant}:{id}, with ids as the contract says", "key")
