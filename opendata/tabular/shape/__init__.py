"""Where the table lies in a file: which rows name the columns, where it ends, what is hidden, what its columns are called."""
