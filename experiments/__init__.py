"""The questions that Peakday answers, one file each; `experiments.cli` finds them."""
