"""A decision tree for the iris data, by the container contract of SageMaker."""
