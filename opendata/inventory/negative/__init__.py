"""The negative list: what must not be opened, on which legal basis. It binds everyone, on every way to the public."""
