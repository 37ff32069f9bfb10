"""What each body holds: the lines of its data resource inventory (数据资源清单)."""
