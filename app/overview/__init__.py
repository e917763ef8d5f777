"""The pages that put the rooms together: phones with their state, one phone, gateways, commands."""
