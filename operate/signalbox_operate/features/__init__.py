"""Features of a project on this machine: `features.yaml` read and compiled, flows imported, training sets made."""
