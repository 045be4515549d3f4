"""How answers look: sentences, tables and figures made from results. Nothing is computed here."""
