"""Requesting an item: the form as a draft, the review, the submission."""
