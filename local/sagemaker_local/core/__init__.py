"""What every part of the SageMaker service stands on: its surroundings, records, resources, shapes and errors."""
