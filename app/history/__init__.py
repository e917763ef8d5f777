"""One timeline of a phone, a number, an account, a post or a person: what every room can tell of it."""
