"""Snapshots: digests of what comes out of small examples whose values are exact."""
