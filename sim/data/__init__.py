"""Small tables of China's geography that ship with the package; `sim.data.build` says where they come from."""
