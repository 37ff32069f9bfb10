"""The yearly report (年度报告): numbers frozen when the year ends, words by the body, published by the end of March."""
