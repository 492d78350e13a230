"""The base of every wire model: camelCase on the wire, unknown fields survive."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """A JSON object on the wire.

    Names are snake_case in Python and camelCase on the wire; both are read. A field that this version does not
    know is kept and written again, so that an older service never drops what a newer one says.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        frozen=True,
        ser_json_timedelta="float",
    )


class Record(WireModel):
    """A record between services; `schema_version` rises only with a change that an older reader must not ignore."""

    schema_version: int = 1
