"""From records to tables. Nothing here runs or reads anything: the same records give the same bytes."""
