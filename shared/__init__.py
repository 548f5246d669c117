"""TCdatalogger: a Torn City faction's history, each row exactly once."""
