"""What a service that takes tokens must be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from libs.auth.claims import ClaimNames
from libs.auth.tokens import ADMIN_ROLES, MIN_SECRET_BYTES
from libs.auth.verifier import Rules
from libs.runtime.settings import Settings

Names = Annotated[tuple[str, ...], NoDecode]
_CLAIMS = ClaimNames()


class TokenRules(Settings):
    """Lists are separated by commas, times are seconds."""

    jwt_secret: SecretStr | None = Field(None, description=f"HMAC key of HS256, at least {MIN_SECRET_BYTES} bytes")
    jwt_issuer: str | None = Field(None, min_length=1, description="the `iss` that HS256 tokens must have")
    jwt_audience: Names = Field(
        (), description="the `aud` of which a token must name one; a setting for all algorithms"
    )
    jwt_leeway: float = Field(5.0, ge=0, le=300, description="by how much clocks may differ")
    jwks: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict, description="issuer=URL of its key set, for RS256 and ES256"
    )
    jwks_lifetime: float = Field(300.0, gt=0, description="how old keys may become before they are fetched anew")
    jwks_pause: float = Field(10.0, gt=0, description="the least time between two fetches for unknown key ids")
    claim_user: Names = Field(_CLAIMS.user, min_length=1, description="claims that name the user, the first counts")
    claim_agent: Names = _CLAIMS.agent
    claim_tenant: Names = _CLAIMS.tenant
    claim_orgs: Names = _CLAIMS.orgs
    claim_departments: Names = _CLAIMS.departments
    claim_roles: Names = _CLAIMS.roles
    claim_session: Names = _CLAIMS.session
    admin_roles: Annotated[frozenset[str], NoDecode] = Field(
        ADMIN_ROLES, description="roles in a token that administer the token's tenant"
    )

    @field_validator(
        *("jwt_audience", "claim_user", "claim_agent", "claim_tenant", "claim_orgs", "claim_departments"),
        *("claim_roles", "claim_session", "admin_roles"),
        mode="before",
    )
    @classmethod
    def _list(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value

    @field_validator("jwks", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        return dict(part.partition("=")[::2] for part in _parts(value)) if isinstance(value, str) else value

    @field_validator("jwks")
    @classmethod
    def _addresses(cls, value: dict[str, str]) -> dict[str, str]:
        for issuer, url in value.items():
            if not issuer or not url.startswith(("https://", "http://")):
                raise ValueError("it is a list of issuer=https://… with commas between")
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"it needs at least {MIN_SECRET_BYTES} bytes")
        return value

    @property
    def takes_tokens(self) -> bool:
        """Whether any token can be verified at all."""
        return self.jwt_secret is not None or bool(self.jwks)

    def token_rules(self) -> Rules:
        """For the Verifier."""
        return Rules(
            secret=None if self.jwt_secret is None else self.jwt_secret.get_secret_value(),
            issuer=self.jwt_issuer,
            audience=self.jwt_audience,
            leeway=self.jwt_leeway,
            issuers=self.jwks,
            claims=ClaimNames(
                user=self.claim_user,
                agent=self.claim_agent,
                tenant=self.claim_tenant,
                orgs=self.claim_orgs,
                departments=self.claim_departments,
                roles=self.claim_roles,
                session=self.claim_session,
            ),
            keys_lifetime=self.jwks_lifetime,
            keys_pause=self.jwks_pause,
        )


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())
