"""How work comes in: the topics `noti` and `directory`, and HTTP."""
