"""Tests of msgbot.fake_amazon by plain calls: what it promises of Amazon's behaviour."""
