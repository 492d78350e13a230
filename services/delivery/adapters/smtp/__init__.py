"""Email by SMTP: a pool of reused connections to one server."""
