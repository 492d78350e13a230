"""Slack, Discord and Teams by their incoming webhooks."""
