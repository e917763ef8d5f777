"""Signing in and out: until there are users, by the installation's access token."""
