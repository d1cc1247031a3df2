"""Slides of a lab for a lecture: `labs slides`."""
