"""Statistics that know nothing of collaboratives; each traced to a source and a reference value."""
