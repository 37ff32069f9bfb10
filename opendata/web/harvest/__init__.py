"""The console of harvesting: sources, the plan of a run, its report."""
