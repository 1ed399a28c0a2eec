"""The function `on_model_package`."""
