"""Signalbox on the local cloud: its deployment, its demo, and the answers to its mails."""
