"""Finding personal, secret and secretive things in cells and texts, and masking them. Pure: no database, no files.

`rules` says what is looked for, `cells` counts it in columns, `meaning` reads headers, `judging` decides per column in the
light of the whole table, `texts` does the same for free text, `masking` takes it away.
"""
