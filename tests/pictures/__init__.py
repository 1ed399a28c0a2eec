"""The mails and pages of the fourteen most usual situations, as the real journeys make them, and pictures of them."""
