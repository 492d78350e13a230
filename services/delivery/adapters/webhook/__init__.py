"""Signed webhooks to a tenant's own endpoints (Standard Webhooks)."""
