"""One push for a person becomes one for each of their devices. Implements ports.Provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from services.delivery.adapters.push.errors import summary
from services.delivery.domain import push
from services.delivery.domain.delivery import Delivery, Device
from services.delivery.domain.outcome import Sent
from services.delivery.domain.push import PushMessage
from services.delivery.errors import Fault, Invalid
from services.delivery.ports import Addresses, DeviceSender


class PushClient:
    """`senders` by platform; a device of another platform is not reached."""

    name = "push"

    def __init__(
        self,
        senders: Mapping[str, DeviceSender],
        addresses: Addresses,
        link_base: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._senders, self._addresses, self._link_base, self._clock = senders, addresses, link_base, clock

    async def send(self, delivery: Delivery) -> Sent:
        """Sent when a device has taken it and none is left that may still take it. Raises the fault of the others."""
        devices = [device for device in delivery.recipient.devices if device.id not in delivery.reached]
        message = push.message(delivery, self._link_base, self._clock())
        faults = await asyncio.gather(*(self._to(device, message) for device in devices))
        for device, fault in zip(devices, faults, strict=True):
            if fault is not None and fault.reason == "address-gone":
                await self._addresses.device_gone(delivery, device)
        reached = [device.id for device, fault in zip(devices, faults, strict=True) if fault is None]
        fault = summary([fault for fault in faults if fault is not None], reached=bool(reached or delivery.reached))
        if fault is None:
            return Sent()
        if reached:
            await self._addresses.reached(delivery, reached)
        raise fault

    async def _to(self, device: Device, message: PushMessage) -> Fault | None:
        sender = self._senders.get(device.platform)
        if sender is None:
            return Invalid("no-provider", detail=device.platform)
        try:
            await sender.send(device, message)
        except Fault as fault:
            return fault
        return None
