"""The cloud on one machine: SageMaker and its neighbours around ministack, behind one port of 127.0.0.1."""
