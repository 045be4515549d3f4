"""Tables as they stand in a report, a module per question."""
