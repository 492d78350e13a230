"""What the HTTP edges share: problems (RFC 9457), health and metrics routes, running uvicorn inside a service."""
