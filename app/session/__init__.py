"""Signing in and out, and what a person does with his own password, authenticator, sessions and tokens."""
