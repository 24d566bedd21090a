"""What is searched, as frozen data: spaces, parameters, policies and trial configurations."""
