"""An instructor's week: hand out, collect, grade, see. Nothing here is needed to work on a lab."""
