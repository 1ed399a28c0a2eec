"""The abalone pipeline: predict the number of rings, and so the age, of an abalone from its measures."""
