"""The mails and pages of the thirteen most usual situations, as the real journeys make them, and pictures of them."""
