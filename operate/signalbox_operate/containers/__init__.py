"""Containers that train and serve a model: SageMaker's contract with them, and building them."""
