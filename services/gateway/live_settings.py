"""Settings of live rooms, presence, typing and ephemeral events."""

from __future__ import annotations

from pydantic import Field

from libs.runtime.settings import Settings


class LiveRules(Settings):
    """Times are seconds."""

    rooms_per_socket: int = Field(50, ge=1, description="rooms that one socket may join by itself")
    policy_refresh: float = Field(5.0, gt=0, description="how long policies of resources are remembered")
    policy_timeout: float = Field(2.0, gt=0, description="for an application to say who may join")
    policy_grace: float = Field(60.0, ge=0, description="how long a right holds while the application is silent")

    presence_grace: float = Field(10.0, ge=0, description="after the last socket of a person until they are offline")
    presence_interval: float = Field(0.25, gt=0, description="how often comings and goings are reported")
    presence_heartbeat: float = Field(5.0, gt=0, description="how often a gateway says that it is alive")
    presence_lease: float = Field(20.0, gt=0, description="after which a silent gateway's people are offline")
    presence_frames: int = Field(20, ge=2, description="frames of presence a second to the clients of a tenant")
    presence_members: int = Field(1_000, ge=0, description="members over which clients of a tenant ask for presence")

    typing_repeat: float = Field(3.0, ge=0, description="how often a start of typing is told again at most")
    typing_patience: float = Field(10.0, gt=0, description="after which typing has stopped that nobody took back")
    typing_places: int = Field(8, ge=1, description="places where one socket may be typing at once")
    ephemeral_rate: float = Field(20.0, ge=1, description="typing and ephemeral events a second of one socket")
