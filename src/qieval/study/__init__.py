"""What was recorded: the tables, their checks, and the study that holds them."""
