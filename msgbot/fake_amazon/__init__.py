"""FakeAmazon: a server that behaves as Amazon's does, for the tests and the demo."""
