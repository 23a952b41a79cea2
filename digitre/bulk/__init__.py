"""Read any number of pictures into Parquet files, on one machine or many: see docs/scaling.md."""

from digitre.bulk.reading import COLUMNS, read_part

__all__ = ["COLUMNS", "read_part"]
