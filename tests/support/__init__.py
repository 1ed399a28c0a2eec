"""What several tests share: samples, builders and fakes."""
