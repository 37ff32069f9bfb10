"""frictionless' verdict without its cost: rows that are proved clean never reach it.

`validating` offers `validate` and `validate_package`; `feed` stands between the cells of a table and frictionless' rows;
`plan`, `columns`, `keys`, `checked` and `formula` know what a clean row is; `rows` reads only the doubtful cells of the others;
`delimited` reads text in columns, `spreadsheets` workbooks; `digest` hashes beside it.
"""
