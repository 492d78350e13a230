"""What a list of the inbox is asked by: pages and filters, in the query or, for what is done to many, in a body."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from libs.catalogue.catalogue import Catalogue
from libs.http.problems import Problem
from libs.schemas.events import EventName, Severity
from services.gateway.domain.inbox import MAX_LIMIT, MAX_OFFSET, Filters, Place, place

_Text = Annotated[str | None, Field(max_length=200, pattern=r"^[^\x00]*$")]


class Narrowing(BaseModel):
    """What is wanted of the inbox. `type` is a key or alias of the catalogue, `q` a text in title or message."""

    model_config = ConfigDict(extra="forbid")

    event: EventName | None = None
    name: _Text = None
    type: _Text = None
    category: _Text = None
    severity: Severity | None = None
    tag: _Text = None
    org: _Text = None
    agent: _Text = None
    unread: bool | None = None
    archived: bool = False
    snoozed: bool = False
    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None
    q: _Text = None

    def filters(self, catalogue: Catalogue) -> Filters:
        """The same for the inbox: types by their keys, a category by its types."""
        given = self.model_dump(exclude={"type", "category", "q", "limit", "offset", "cursor"})
        return Filters(**given, types=self._types(catalogue), text=self.q or None)

    def _types(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        of_type = None
        if self.type is not None:
            known = catalogue.get(self.type)
            of_type = {self.type if known is None else known.key}
        if self.category is None:
            return None if of_type is None else tuple(of_type)
        of_category = {entry.key for entry in catalogue.types if entry.category == self.category}
        return tuple(sorted(of_category if of_type is None else of_category & of_type))


class Listing(Narrowing):
    """The query of a list: by `cursor`, or by `offset` from the newest on."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0
    cursor: Annotated[str | None, Field(max_length=2_000)] = None

    def after(self) -> Place | None:
        """The place after which the page begins. Raises Problem 422 when the cursor is not one of ours."""
        found = None if self.cursor is None else place(self.cursor)
        if self.cursor is not None and found is None:
            errors = [{"field": "cursor", "message": "it is not a cursor of this list"}]
            raise Problem(422, "invalid-request", "cursor: it is not a cursor of this list", errors=errors)
        return found
