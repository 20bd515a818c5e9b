"""Troupe: stubs of the contract, one package per version."""
