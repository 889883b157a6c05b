"""`report.html`: what a run was, what came out, and how to repeat it, in one file without network."""
