"""What builds the notebooks and proves them: used by authors and CI, never in a learner's kernel."""
