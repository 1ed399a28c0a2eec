"""Signalbox: the rules, ports and adapters that the Lambda functions share, one module or package per journey."""
