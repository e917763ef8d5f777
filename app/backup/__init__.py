"""Backup and restore: database and blobs, sealed to the recovery key; the key files apart from them."""
