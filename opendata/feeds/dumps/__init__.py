"""The whole public catalogue as files: N-Triples, NDJSON, CSV and Parquet, made anew every day by a job.

A file is the concatenation of parts of some datasets each. A withdrawal spoils the parts that tell of the dataset: from its commit
on they are not served, and a job makes these parts again, not the whole. Beside them are the lines of which `/data.json` is put
together (`kept`); it tells what is public now, whatever they say.
"""
