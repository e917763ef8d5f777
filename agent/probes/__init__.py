"""Tests of reach, done fairly: the agent looks at itself first, and says so when it could not have seen the phone."""
