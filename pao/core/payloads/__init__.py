"""What travels between API, workflow and activities: plain data, kept in Temporal's history.

Old and new workers meet during a deploy, so every field added later has a default, and unknown
ones are ignored on reading (Temporal's JSON converter does that for dataclasses).
Times are RFC 3339 in UTC with milliseconds; durations are seconds. Sealed values (see
``SEALED_PREFIX``) stand in place of passwords.
"""
