"""The demo: from data and an image to predictions of released models, on one machine."""
