"""Documents as tests: what they link to, and the code that they show."""
