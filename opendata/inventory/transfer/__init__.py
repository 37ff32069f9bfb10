"""The inventory as a workbook or a CSV: what clerks fill in by the template `resource_inventory`, in and out again."""
