"""Scenes: digits as they come in real pictures, with what lies around them."""
