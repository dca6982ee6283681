"""The config groups of Peakday: plain YAML, read as package data, so that a wheel carries them."""
