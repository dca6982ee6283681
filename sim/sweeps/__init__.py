"""Sweeps: many runs of points in the space of parameters, on all cores or a cluster, that survive whatever dies.

axes, design -> points -> configs, checked -> runs -> workers -> records -> one table -> figures and report
                                                ^------ what is known is read, not run ------'
"""
