"""Tables of sessions, spots and faults: CSV, Excel and Parquet.

Enter at `reader.Table`. `layout` detects form, header and mapping of a file (`csv_rows`, `sheets`,
`column_names`), `mapping` is the YAML file that leads from columns to fields, `cells` parses values, `wall_clock`
local times. `survey` and `date_order` find what is odd about a table as a whole, and `dry_run` reads it without
writing.
"""
