"""Workbooks of XLSX by columns: `opening` is how frictionless opens them meanwhile, `sheets` their rows, `xml` what is read of them."""
