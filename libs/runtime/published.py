"""Secrets for development. They stand here, where everybody can read them, so production refuses them."""

JWT_SECRET = "development-only-secret-change-me-0123456789"  # noqa: S105  its name says where it may be used
SEALING_KEY = "ZGV2ZWxvcG1lbnQtb25seS1zZWFsaW5nLWtleS0wMTI="


def is_published(secret: str) -> bool:
    """Whether a secret, or one of several with commas between, is one of these."""
    return any(part.strip() in (JWT_SECRET, SEALING_KEY) for part in secret.split(","))
