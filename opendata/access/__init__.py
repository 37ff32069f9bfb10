"""What an actor may see, decided in one place; the public reads of the catalogue; the download door."""
