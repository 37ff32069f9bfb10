"""How often each dataset is viewed, downloaded and called: counted once, by day, without a word about the readers."""
