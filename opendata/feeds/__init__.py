"""What every feed tells: published datasets as records, a record as DCAT-AP triples, triples as bytes, and how a feed is
answered (ETag, 304, HEAD). The faces that harvesters pull (`compat.dcat`, `compat.oai`) word it; none of them is here.
"""
