"""All dialects, by the namespace that speaks them (S1)."""

from __future__ import annotations

from collections.abc import Callable

from libs.catalogue.catalogue import Catalogue
from services.gateway.domain.dialects.collaboration import Collaboration
from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.dialects.internal import Internal
from services.gateway.domain.dialects.look import looks
from services.gateway.domain.dialects.marketplace import Marketplace
from services.gateway.domain.dialects.root import Root
from services.gateway.domain.recipients import RecipientIds


def dialects(catalogue_of: Callable[[str], Catalogue], recipients: RecipientIds) -> dict[str, Dialect]:
    """Namespace → dialect, with the types of each tenant."""
    look = looks(catalogue_of)
    spoken: tuple[Dialect, ...] = (Root(), Internal(look, recipients), Collaboration(look), Marketplace(look))
    return {dialect.namespace: dialect for dialect in spoken}
