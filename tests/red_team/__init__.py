"""Submissions that try to cheat, break or merely differ, each made from a lab's own notebook."""
