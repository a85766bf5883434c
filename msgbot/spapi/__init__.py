"""Calls to Amazon: the Selling Partner API and its queue. The only package that talks to Amazon over the network."""
