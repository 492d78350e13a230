"""Delivery: one worker role for each external channel."""
