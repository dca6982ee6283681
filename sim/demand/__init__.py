"""Demand: who comes when, what a visit is and what it buys."""
