"""Inputs and private settings -> frozen values; the one user."""
