"""A Socket.IO server that writes shared bytes to many sockets: python-socketio's handlers on a callback transport."""

from libs.fanout.engine import Engine
from libs.fanout.limits import Limits
from libs.fanout.server import AsyncServer
from libs.fanout.serving import uvicorn_options

__all__ = ["AsyncServer", "Engine", "Limits", "uvicorn_options"]
