"""The questions, one module per notebook and of the same name: a study in, a frozen result out."""
