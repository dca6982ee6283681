"""The elastic cloud: machines that boot, warm up, serve, drain and stop, and the policies that order them."""

from sim.cloud.controller import Cloud, Ports

__all__ = ["Cloud", "Ports"]
