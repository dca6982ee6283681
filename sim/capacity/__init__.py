"""Capacity plans: the least that has to be paid so that service levels hold with stated probabilities.

    plan file -> what can be decided, goals, what is uncertain, prices
      -> screening (Morris) -> search under noise (optuna, then a pattern search) -> verification with fresh seeds
      -> sensitivity (Sobol) -> frontier of cost against risk -> tables, figures, report

A *decision* is a level for each variable; a *day* is a seed with a draw of all that is uncertain. Every decision meets the
same days, so that two decisions differ by what was decided and not by luck. All runs go through the workers and records of
`sim.sweeps`.
"""
