"""Rows of a table (F,): numbers, and categories as one feature for each of their values."""

from models.kinds.kind import Kind

KIND = Kind(
    "table",
    example=(11,),
    one="row",
    many="rows",
    described="a row of a table",
    shaped="rows of {} features",
    dimensions="Features",
    column="column",
    unknown_column="feature",
)
