"""The mails and pages of the twelve most usual situations, as the real journeys make them, and pictures of them."""
