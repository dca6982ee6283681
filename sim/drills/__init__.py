"""Drills: inject a plan's fault into a running part, with the plan and without, and see whether users would have noticed."""
