"""The sections of a report; each returns None where it has nothing to say."""
