"""The base of what routes take and answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """Names are snake_case here and camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
