"""Submissions, their scores and quotas, and the files and tables that sites want and give."""
